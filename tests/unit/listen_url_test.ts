import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isLoopback, ListenUrlError, parseListenUrl, webSocketUrl } from "../../lib/server/listen_url.ts";

describe("parseListenUrl()", () => {
  test.each([
    ["ws://127.0.0.1:0", "127.0.0.1", 0],
    ["ws://0.0.0.0:65535", "0.0.0.0", 65535],
    ["ws://127.0.0.1:00080", "127.0.0.1", 80],
    ["ws://127.0.0.1:0000000000000000040001", "127.0.0.1", 40001],
    ["ws://[::1]:1", "::1", 1],
    ["ws://[::]:0", "::", 0],
    ["ws://[00:0:0:0:0:0:0:0001]:0", "::1", 0],
    ["ws://[::FFFF:127.0.0.1]:0", "::ffff:127.0.0.1", 0],
    ["ws://[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4", 80],
    ["ws://[::127.0.0.1]:0", "::7f00:1", 0],
    ["ws://[1:2:3:4:5:6:7::]:1", "1:2:3:4:5:6:7:0", 1],
    ["ws://[2001:DB8::1]:1", "2001:db8::1", 1],
    ["ws://[1:0:0:2:0:0:0:3]:1", "1:0:0:2::3", 1],
    ["ws://[1:0:0:2:3:0:0:4]:1", "1::2:3:0:0:4", 1],
    ["ws://[1:2:3:4:5::1.2.3.4]:1", "1:2:3:4:5:0:102:304", 1],
    ["ws://[::0:0:0:0:0.0.0.0]:1", "::", 1],
    ["ws://[::ffff:0:0]:1", "::ffff:0.0.0.0", 1],
    ["ws://[::1%01]:2", "::1", 2],
    ["ws://[fe80::1%4294967295]:2", "fe80::1", 2],
  ])("reads %s", (text, hostname, port) => {
    expect(parseListenUrl(text)).toEqual({ kind: "ws", hostname, port });
  });

  test.each(["stdio", "stdio://"])("reads %s", (text) => {
    expect(parseListenUrl(text)).toEqual({ kind: "stdio" });
  });

  test.each([
    "ws://",
    "ws://localhost:1",
    "ws://127.0.0.1",
    "ws://127.0.0.1:",
    "ws://127.0.0.1:1/",
    "ws://127.0.0.1:1?x",
    "ws://127.0.0.1:65536",
    "ws://127.0.0.1:+1",
    "ws://127.0.0.1:-1",
    "ws://127.0.0.1:0x10",
    "ws://127.0.0.1:99999999999999999999999",
    "ws://127.0.0.1:0 ",
    "ws://127.0.0.1:0\n",
    "ws:// 127.0.0.1:0",
    "ws://user@127.0.0.1:0",
    "ws://:1",
    "ws://1.2.3:1",
    "ws://127.0.0.256:1",
    "ws://0127.0.0.1:1",
    "ws://127.0.0.01:1",
    "ws://0x7f.0.0.1:1",
    "ws://2130706433:1",
    "ws://::1:1",
    "ws://[127.0.0.1]:1",
    "ws://[::1]",
    "ws://[::1]:",
    "ws://[]:0",
    "ws://[::g]:0",
    "ws://[:::1]:0",
    "ws://[1::2::3]:0",
    "ws://[1::2:3:4:5:6:7:8]:1",
    "ws://[0:0:0:0:0:0:0:00001]:0",
    "ws://[::ffff:127.0.0.01]:0",
    "ws://[::1%lo]:1",
    "ws://[::1%]:1",
    "ws://[::1%+1]:1",
    "ws://[::1%4294967296]:1",
  ])("calls %j an invalid websocket URL", (text) => {
    expect(() => parseListenUrl(text)).toThrow(
      new ListenUrlError(`invalid websocket --listen URL \`${text}\`; expected \`ws://IP:PORT\``),
    );
  });

  test.each([
    "",
    "http://127.0.0.1:1",
    "wss://127.0.0.1:1",
    "WS://127.0.0.1:0",
    " ws://127.0.0.1:0",
    "ws:",
    "127.0.0.1:0",
    "stdio:/",
    "stdio:",
    "stdio://x",
    "STDIO",
    " stdio",
    "unix:///tmp/s",
  ])("calls %j an unsupported URL", (text) => {
    expect(() => parseListenUrl(text)).toThrow(
      new ListenUrlError(`unsupported --listen URL \`${text}\`; expected \`ws://IP:PORT\` or \`stdio\``),
    );
  });

  // A failure prints fast-check's seed.
  test("reads back what webSocketUrl() wrote, for any address", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6().filter((text) => !text.includes("%")));
    fc.assert(fc.property(address, fc.nat(65_535), (hostname, port) => {
      const first = parseListenUrl(webSocketUrl(hostname, port));
      if (first.kind !== "ws") throw new Error("stdio from a ws URL");
      expect(first.port).toBe(port);
      expect(parseListenUrl(webSocketUrl(first.hostname, port))).toEqual(first);
    }));
  });
});

test("webSocketUrl() puts brackets around IPv6", () => {
  expect(webSocketUrl("::1", 80)).toBe("ws://[::1]:80");
  expect(webSocketUrl("127.0.0.1", 80)).toBe("ws://127.0.0.1:80");
});

describe("isLoopback()", () => {
  test.each([
    "127.0.0.1",
    "127.255.0.3",
    "::1",
    "[::1]",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::FFFF:7f00:2",
  ])(
    "says yes to %s",
    (hostname) => expect(isLoopback(hostname)).toBe(true),
  );
  test.each([
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "128.0.0.1",
    "::ffff:10.0.0.1",
    "::7f00:1",
    "127.evil.example",
    "127.0.0.1.example",
  ])(
    "says no to %s",
    (hostname) => expect(isLoopback(hostname)).toBe(false),
  );
});
