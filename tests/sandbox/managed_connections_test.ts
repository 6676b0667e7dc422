import { describe, expect, test } from "bun:test";
import { mechanism, rulesOf, runConfined, spawnConfined } from "./confined.ts";
import { bash, echo, openFds, script, service, until } from "./host_service.ts";

const rules = rulesOf([]);

/** The system's buffers of two connections, at their largest, and some more. */
const MOST_MB_BUFFERED = 100;

describe.skipIf(mechanism === null)("the connections of a managed network", () => {
  test("pass 50 MB both ways byte by byte, and the end of each direction for itself", async () => {
    const { promise: inwards, resolve } = Promise.withResolvers<string>();
    await using peer = await service((socket) => {
      const hash = new Bun.CryptoHasher("sha256");
      socket.on("data", (data) => hash.update(data));
      // It has to hear the end of what it is sent before it says anything.
      socket.on("end", () => {
        resolve(hash.digest("hex"));
        let left = 50;
        const more = () => {
          while (left-- > 0) if (!socket.write(blockOf(left))) return void socket.once("drain", more);
          socket.end();
        };
        more();
      });
    });
    const source = `const blockOf = ${blockOf};
      const hash = new Bun.CryptoHasher("sha256"), sent = new Bun.CryptoHasher("sha256");
      const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      let left = 50;
      const more = () => {
        while (left-- > 0) {
          const block = blockOf(left + 50);
          sent.update(block);
          if (!socket.write(block)) return void socket.once("drain", more);
        }
        socket.end();
      };
      more();
      socket.on("data", (data) => hash.update(data));
      socket.on("end", () => console.log(sent.digest("hex"), hash.digest("hex")));`;
    const { stdout } = await runConfined(rules, script(peer.port, source));
    const expected = new Bun.CryptoHasher("sha256");
    for (let left = 50; left-- > 0;) expected.update(blockOf(left));
    expect(stdout.trim().split(" ")).toEqual([await inwards, expected.digest("hex")]);
  }, 30_000);

  test("hold a command back whose peer does not read", async () => {
    await using peer = await service((socket) => void socket.pause());
    const source = `const socket = net.connect(port, "127.0.0.1"), block = Buffer.alloc(1 << 20);
      let taken = 0;
      const more = () => socket.write(block, () => { console.log(++taken); more(); });
      more();`;
    await using confined = await spawnConfined(rules, script(peer.port, source));
    await confined.began;
    let taken = 0;
    void (async () => {
      for await (const text of confined.child.stdout.pipeThrough(new TextDecoderStream())) {
        taken = Math.max(taken, ...text.trim().split("\n").map(Number));
      }
    })();
    // A wait too short for it makes this test see less than it could, and never more.
    for (let seen = -1; seen < taken && taken <= MOST_MB_BUFFERED;) {
      seen = taken;
      await Bun.sleep(300);
    }
    expect(taken).toBeLessThanOrEqual(MOST_MB_BUFFERED);
  });

  test("break off where the host's side breaks off, and where nobody is there", async () => {
    await using peer = await service((socket) => void socket.once("data", () => socket.resetAndDestroy()));
    const source = `net.connect(port, "127.0.0.1").on("connect", function () { this.write("x"); })
      .on("error", ({ code }) => console.log(code)).on("close", () => console.log("closed"));`;
    expect((await runConfined(rules, script(peer.port, source))).stdout).toBe("ECONNRESET\nclosed\n");
    const { port } = peer;
    await peer[Symbol.asyncDispose]();
    const { stdout } = await runConfined(rules, script(port, source));
    expect(stdout).toMatch(/^(ECONNRESET|EPIPE)\nclosed\n$/);
    await using later = await service((socket) => void socket.once("data", () => socket.resetAndDestroy()));
    expect((await runConfined(rules, script(later.port, source))).stdout).toBe("ECONNRESET\nclosed\n");
  });

  test("may be 200 at once", async () => {
    await using peer = await echo();
    const source = `let left = 200, good = 0;
      for (let i = 0; i < 200; i++) {
        let heard = "";
        const socket = net.connect(port, "127.0.0.1", () => socket.end("number " + i));
        socket.on("data", (data) => heard += data).on("error", console.log);
        socket.on("close", () => { good += heard === "number " + i; if (--left === 0) console.log(good); });
      }`;
    expect((await runConfined(rules, script(peer.port, source))).stdout).toBe("200\n");
  });

  test("may not be more than 256, until one is closed", async () => {
    await using peer = await echo();
    const source = `const open = [];
      const one = () => new Promise((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () => socket.write("x"));
        socket.on("data", () => { open.push(socket); resolve("served"); });
        socket.on("error", ({ code }) => resolve("turned away")).on("close", () => resolve("turned away"));
      });
      for (let i = 0; i < 256; i++) await one();
      const late = await one();
      const closed = open.pop();
      closed.end();
      await new Promise((resolve) => closed.on("close", resolve));
      let retried;
      do retried = await one(); while (retried !== "served");
      console.log(late, retried);
      process.exit();`;
    expect((await runConfined(rules, script(peer.port, source))).stdout).toBe("turned away served\n");
  });

  test("deliver what a command said with its last breath", async () => {
    let heard = 0;
    await using peer = await service((socket) => {
      let said = "";
      socket.on("data", (data) => said += data);
      socket.on("end", () => {
        if (said === "last words\n") heard++;
        socket.end();
      });
    });
    const line = `for i in {1..20}; do echo last words > /dev/tcp/127.0.0.1/${peer.port}; done`;
    for (let i = 0; i < 10; i++) await runConfined(rules, bash(line, [peer.port]));
    await until(() => heard === 200);
    expect(heard).toBe(200);
  });

  test.each(["SIGKILL", "exit"])("are gone with their command (%s)", async (end) => {
    // It never ends a connection by itself: its own descriptor of it stays.
    await using peer = await service((socket) => void socket.on("data", (data) => socket.write(data)));
    const before = openFds();
    await using confined = await spawnConfined(
      rules,
      bash(
        `exec 3<>/dev/tcp/127.0.0.1/${peer.port}; echo a >&3; read line <&3; echo $line; read line`,
        [peer.port],
      ),
    );
    await confined.began;
    expect(new TextDecoder().decode((await confined.child.stdout.getReader().read()).value)).toBe("a\n");
    if (end === "SIGKILL") confined.child.kill("SIGKILL");
    else confined.child.stdin.end();
    await confined.child.exited;
    await until(() => openFds() <= before + 1);
  });
});

/** A megabyte that is like no other. */
function blockOf(seed: number): Buffer {
  const words = new Uint32Array(1 << 18);
  for (let i = 0, word = seed + 1; i < words.length; i++) {
    words[i] = word = Math.imul(word, 1664525) + 1013904223;
  }
  return Buffer.from(words.buffer);
}
