import { describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { dialProgram, dialWebSocket } from "../../lib/client/dial.ts";
import type { Receiver, Transport } from "../../lib/rpc/transport.ts";
import { memoryPair } from "../../lib/transport/memory_pair.ts";
import { untilTrue, within } from "../support/peer_deadline.ts";

if (Bun.which("openssl") === null) console.warn("client transport: without openssl TLS is not tried");

const never = new AbortController().signal;

/** Notes what a transport tells. */
class Notes implements Receiver {
  readonly messages: (string | Uint8Array)[] = [];
  drains = 0;
  sounds = 0;
  readonly whenEnded: Promise<string>;
  #tellEnded!: (reason: string) => void;
  #wake: (() => void)[] = [];

  constructor() {
    this.whenEnded = new Promise((resolve) => (this.#tellEnded = resolve));
  }

  message(data: string | Uint8Array): void {
    this.messages.push(data);
    for (const wake of this.#wake.splice(0)) wake();
  }
  heard(): void {
    this.sounds += 1;
  }
  drained(): void {
    this.drains += 1;
  }
  ended(reason: string): void {
    this.#tellEnded(reason);
  }

  async count(count: number): Promise<void> {
    const wait = async () => {
      while (this.messages.length < count) await new Promise<void>((resolve) => this.#wake.push(resolve));
    };
    await within(wait(), `${count} messages`);
  }
}

function notesOf(transport: Transport): Notes {
  const notes = new Notes();
  transport.receive(notes);
  return notes;
}

interface Echo extends AsyncDisposable {
  readonly url: string;
  readonly headers: Headers[];
  readonly sockets: Bun.ServerWebSocket<undefined>[];
}

/** A server that greets, echoes, and closes when told so. */
function echo(options: { unix: string } | { tls?: Bun.TLSOptions } = {}): Echo {
  const headers: Headers[] = [];
  const sockets: Bun.ServerWebSocket<undefined>[] = [];
  const at = "unix" in options
    ? { unix: options.unix }
    : { hostname: "127.0.0.1", port: 0, tls: options.tls };
  const server = Bun.serve<undefined>({
    ...at as { hostname: string; port: number },
    fetch(request, server) {
      headers.push(request.headers);
      const { pathname } = new URL(request.url);
      if (pathname === "/no") return new Response("invalid websocket bearer token", { status: 401 });
      return server.upgrade(request, { data: undefined }) ? undefined : new Response(null, { status: 400 });
    },
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      open(socket) {
        sockets.push(socket);
        socket.send("welcome");
      },
      message(socket, message) {
        if (message === "close") socket.close(4000, "enough");
        else if (message === "cut") socket.terminate();
        else socket.send(message);
      },
    },
  });
  const protocol = "tls" in options && options.tls !== undefined ? "wss" : "ws";
  return {
    url: "unix" in options ? `unix:${options.unix}` : `${protocol}://127.0.0.1:${server.port}`,
    headers,
    sockets,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

describe("a client's socket", () => {
  test("carries text both ways, the first message too, and asks for no compression", async () => {
    await using server = echo();
    const socket = await dialWebSocket({ url: server.url, token: "s3cret" })(never);
    await Bun.sleep(20); // the greeting comes before anybody listens
    const notes = notesOf(socket);
    socket.send("ä");
    await notes.count(2);
    expect(notes.messages).toEqual(["welcome", "ä"]);
    expect(server.headers[0]?.get("authorization")).toBe("Bearer s3cret");
    expect(server.headers[0]?.get("sec-websocket-extensions")).toBeNull();
    expect(server.headers[0]?.get("origin")).toBeNull();
    socket.end();
    expect(await notes.whenEnded).toBe("ended by this side");
  });

  test("tells how it ended: nothing for a cut, else what the server said", async () => {
    await using server = echo();
    for (const [word, reason] of [["cut", ""], ["close", "enough"]] as const) {
      const socket = await dialWebSocket({ url: server.url })(never);
      const notes = notesOf(socket);
      socket.send(word);
      expect(await within(notes.whenEnded, "the end")).toBe(reason);
    }
  });

  test("hears an answer to its ping", async () => {
    await using server = echo();
    const socket = await dialWebSocket({ url: server.url })(never);
    const notes = notesOf(socket);
    await notes.count(1);
    const before = notes.sounds;
    socket.ping();
    await untilTrue(() => notes.sounds > before, "a pong");
    socket.end();
  });

  test("delivers nothing while paused, and everything afterwards", async () => {
    await using server = echo();
    const socket = await dialWebSocket({ url: server.url })(never);
    const notes = notesOf(socket);
    await notes.count(1);
    socket.pause();
    for (let n = 0; n < 50; n++) server.sockets[0]?.send(`${n}`);
    await Bun.sleep(50);
    expect(notes.messages.length).toBe(1);
    socket.resume();
    await notes.count(51);
    expect(notes.messages.at(-1)).toBe("49");
    socket.end();
  });

  test("is full while a server does not read, and tells when there is room", async () => {
    await using server = echo();
    const socket = await dialWebSocket({ url: server.url })(never);
    const notes = notesOf(socket);
    await notes.count(1);
    server.sockets[0]?.pause();
    const message = "x".repeat(1024 * 1024);
    let sent = 0;
    for (; sent < 60 && !socket.isFull; sent++) {
      socket.send(message);
      await Bun.sleep(0);
    }
    expect(socket.isFull).toBe(true);
    expect(socket.unsentBytes).toBeGreaterThan(0);
    server.sockets[0]?.resume();
    await untilTrue(() => notes.drains === 1, "room");
    expect(socket.isFull).toBe(false);
    await notes.count(1 + sent);
    socket.end();
  });

  test("connects to a path", async () => {
    const path = join(tmpdir(), `exec-server-${process.pid}-${Date.now()}.sock`);
    {
      await using server = echo({ unix: path });
      const notes = notesOf(await dialWebSocket({ url: server.url })(never));
      await notes.count(1);
    }
    await rm(path, { force: true });
  });

  test.skipIf(Bun.which("openssl") === null)("connects over TLS to whom it was told to trust", async () => {
    const made = await certificate();
    await using server = echo({ tls: made });
    const notes = notesOf(await dialWebSocket({ url: server.url, tlsCa: made.cert })(never));
    await notes.count(1);
    await expect(dialWebSocket({ url: server.url })(never)).rejects.toMatchObject({
      code: "connect",
      message:
        `failed to connect to exec-server websocket \`${server.url}\`: its certificate is not signed by anyone we trust`,
    });
  });

  test("says that a plain server does not speak TLS", async () => {
    await using server = echo();
    const url = server.url.replace(/^ws:/, "wss:");
    await expect(dialWebSocket({ url })(never)).rejects.toMatchObject({
      message: `failed to connect to exec-server websocket \`${url}\`: it does not speak TLS`,
    });
  });

  test("says why there is no connection", async () => {
    await using server = echo();
    const closed = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const refusing = `ws://127.0.0.1:${closed.port}`;
    await closed.stop(true);
    const messageOf = (url: string) =>
      dialWebSocket({ url })(never).then(() => "connected", (error: Error) => error.message);
    expect(await messageOf(refusing)).toBe(
      `failed to connect to exec-server websocket \`${refusing}\`: Connection refused (os error 111)`,
    );
    expect(await messageOf(`${server.url}/no`)).toBe(
      `failed to connect to exec-server websocket \`${server.url}/no\`: HTTP status 401 instead of an upgrade`,
    );
    expect(await messageOf("nonsense")).toStartWith(
      "failed to connect to exec-server websocket `nonsense`: ",
    );
    expect(await messageOf("unix:/no/such/socket")).toEndWith(": No such file or directory (os error 2)");
  });

  test("does not wait for ever for a server that says nothing", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const url = `ws://127.0.0.1:${silent.port}`;
    try {
      await expect(dialWebSocket({ url, connectTimeoutMs: 50 })(never)).rejects.toMatchObject({
        code: "timeout",
        message: `timed out connecting to exec-server websocket \`${url}\` after 50ms`,
      });
      const leave = new AbortController();
      const left = dialWebSocket({ url })(leave.signal).catch((error: Error) => error.message);
      leave.abort();
      expect(await within(left, "the end of a dial that was given up")).toContain("nobody waits for it");
    } finally {
      silent.stop(true);
    }
  });
});

describe("a server that was spawned", () => {
  const shell = (script: string, more: object = {}) =>
    dialProgram({ program: "/bin/sh", args: ["-c", script], ...more });

  test("is spoken to in lines, has its own words, environment and directory, and is ended", async () => {
    const errors: string[] = [];
    const dial = shell('echo "$PWD $WORD" >&2; echo $$; exec cat', {
      env: { WORD: "hello" },
      cwd: "/usr",
      onStderr: (line: string) => errors.push(line),
    });
    const server = await dial(never);
    const notes = notesOf(server);
    await notes.count(1);
    const pid = Number(notes.messages[0]);
    server.send('{"a":1}');
    await notes.count(2);
    expect(notes.messages[1]).toBe('{"a":1}');
    await untilTrue(() => errors.length === 1, "a line of stderr");
    expect(errors).toEqual(["/usr hello"]);
    server.end();
    await within(notes.whenEnded, "the end");
    expect(() => process.kill(pid, 0)).toThrow();
  });

  test("is ended with everyone it started, by force when it does not listen", async () => {
    const server = await shell("trap '' TERM; sleep 300 & echo $!; while :; do sleep 300; done")(never);
    const notes = notesOf(server);
    await notes.count(1);
    const grandchild = Number(notes.messages[0]);
    const began = performance.now();
    server.end();
    await within(notes.whenEnded, "the end");
    expect(performance.now() - began).toBeGreaterThan(1_900);
    await untilTrue(() => {
      try {
        return !process.kill(grandchild, 0);
      } catch {
        return true;
      }
    }, "the end of the grandchild");
  });

  test("that ends by itself is noticed", async () => {
    const notes = notesOf(await shell("exit 3")(never));
    expect(await within(notes.whenEnded, "the end")).toBe("end of input");
  });

  test("that does not exist is an error in words", async () => {
    await expect(dialProgram({ program: "/no/such/server", args: [] })(never)).rejects.toMatchObject({
      code: "spawn",
      message: "failed to spawn exec-server: /no/such/server: No such file or directory (os error 2)",
    });
  });
});

describe("a pair in memory", () => {
  test("carries in order, after the sender's turn, and ends on both sides", async () => {
    const [one, other] = memoryPair();
    const notes = notesOf(other);
    const own = notesOf(one);
    one.send("1");
    one.send("2");
    expect(notes.messages).toEqual([]);
    await notes.count(2);
    one.send("last");
    one.end();
    expect(await notes.whenEnded).toBe("ended by the other side");
    expect(notes.messages).toEqual(["1", "2", "last"]);
    expect(await own.whenEnded).toBe("ended by this side");
    one.send("too late");
    other.send("too late");
  });

  test("is full while the other side is paused, and tells when there is room", async () => {
    const [one, other] = memoryPair();
    const own = notesOf(one);
    const notes = notesOf(other);
    other.pause();
    while (!one.isFull) one.send("x".repeat(100_000));
    await Promise.resolve();
    expect([notes.messages.length, own.drains]).toEqual([0, 0]);
    expect(one.unsentBytes).toBeGreaterThan(1024 * 1024);
    other.resume();
    await notes.count(11);
    expect({ isFull: one.isFull as boolean, drains: own.drains }).toEqual({ isFull: false, drains: 1 });
    expect(one.unsentBytes).toBe(0);
  });
});

/** A certificate for 127.0.0.1, made for the occasion. */
async function certificate(): Promise<{ cert: string; key: string }> {
  const base = join(tmpdir(), `exec-server-${process.pid}-${Date.now()}`);
  const [key, cert] = [`${base}.key`, `${base}.crt`];
  const made = Bun.spawn([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-keyout", key, "-out", cert],
  ], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  if (await made.exited !== 0) throw new Error("openssl made no certificate");
  const result = { cert: await Bun.file(cert).text(), key: await Bun.file(key).text() };
  await rm(key);
  await rm(cert);
  return result;
}
