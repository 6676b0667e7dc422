import { describe, expect, test } from "bun:test";
import { portsOut } from "../../lib/sandbox/forward_ports.ts";

describe("portsOut()", () => {
  test.each<[Record<string, string>, number[]]>([
    [{ HTTP_PROXY: "http://127.0.0.1:8080" }, [8080]],
    [{
      http_proxy: "127.0.0.1:8080",
      https_proxy: "http://localhost:8080/",
      ALL_PROXY: "socks5h://u:p@127.0.0.1:1",
    }, [
      8080,
      1,
    ]],
    [{ http_proxy: "http://127.0.0.1" }, [80]],
    [{ http_proxy: "HTTPS://LOCALHOST" }, [443]],
    [{ http_proxy: " socks5://localhost " }, [1080]],
    [{ npm_config_https_proxy: "http://127.0.0.1:1", YARN_HTTP_PROXY: "http://127.0.0.1:2" }, [1, 2]],
    [{ http_proxy: "http://proxy.example:3128", PIP_PROXY: "http://127.0.0.1:2" }, [2]],
    [{ http_proxy: "http://127.0.0.1:2", no_proxy: "127.0.0.1:3", OTHER_PROXY: "127.0.0.1:4" }, [2]],
  ])("takes from %j the ports %j", (env, ports) => {
    expect(portsOut({ loopbackPorts: null }, env)).toEqual(ports);
  });

  test("gives all that were allowed, where the proxy is among them", () => {
    const env = { http_proxy: "http://127.0.0.1:80" };
    expect(portsOut({ loopbackPorts: [0, 7, 80, 7, 65535] }, env)).toEqual([7, 80, 65535]);
    for (const loopbackPorts of [[], [81], [0]]) {
      expect(() => portsOut({ loopbackPorts }, env)).toThrow(
        "proxy endpoint is outside the managed sandbox context",
      );
    }
    const many = Array.from({ length: 65 }, (_, index) => index + 79);
    expect(() => portsOut({ loopbackPorts: many }, env)).toThrow("more than 64 loopback ports");
    expect(portsOut({ loopbackPorts: many.slice(1) }, env)).toHaveLength(64);
  });

  test.each<Record<string, string>>([{}, { http_proxy: "" }, { HTTPS_PROXY: " " }, {
    NO_PROXY: "*",
    PROXY: "x",
  }])(
    "is refused without a proxy: %j",
    (env) => {
      expect(() => portsOut({ loopbackPorts: [1] }, env)).toThrow(
        "managed proxy mode requires proxy environment variables",
      );
    },
  );

  test.each([
    "http://proxy.example:3128",
    "http://[::1]:8080",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
    "http://127.0.0.1.example:80",
    "http://127.0.0.1:80:90",
    "http://127.0.0.1@proxy.example:80",
    "http://proxy.example/@127.0.0.1:80",
    "http://proxy.example?127.0.0.1:80",
    "::",
  ])("is refused with a proxy that is not on the loopback: %s", (http_proxy) => {
    expect(() => portsOut({ loopbackPorts: null }, { http_proxy })).toThrow(
      "managed proxy mode requires parseable loopback proxy endpoints",
    );
  });
});
