import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient, type RemoteClientOptions } from "../../lib/client/remote_client.ts";
import { Input } from "../../lib/process/input.ts";
import { serve } from "../../lib/server/serve.ts";
import { CutProxy } from "../support/cut_proxy.ts";
import { Followed, startOptions } from "../support/follow.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { CODEX_VERSIONS, findCodex } from "../support/real_codex.ts";
import { oursTarget } from "../support/target_ours.ts";
import { realTarget } from "../support/target_real.ts";
import { untilTrue, within } from "../support/peer_deadline.ts";

// A command on the other side of a line that fails. EXEC_SERVER_LONG=1 carries 200 MB out and 50 MB in instead of a tenth.

const LONG = process.env["EXEC_SERVER_LONG"] === "1";
const SCALE = LONG ? 10 : 1;
const DEADLINE_MS = 60_000 * SCALE;
setDefaultTimeout(DEADLINE_MS + 10_000);

const LISTEN = "ws://127.0.0.1:0";

function connect(url: string, change: Partial<RemoteClientOptions> = {}): Promise<RemoteClient> {
  return RemoteClient.connect({
    dial: dialWebSocket({ url }),
    clientName: "faults",
    reconnects: true,
    ...change,
  });
}

/** Numbers from a seed, so that a failure can be had again. */
function randomNumbers(what: string): () => number {
  const given = process.env["EXEC_SERVER_SEED"];
  let state = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(given);
  console.log(`${what}: EXEC_SERVER_SEED=${state}`);
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Cuts the line so many times, at random places in what it carries. */
function cutAtRandom(proxy: CutProxy, way: "toServer" | "fromServer", cuts: number, bytes: number): void {
  const random = randomNumbers(`${cuts} cuts`);
  const places = Array.from({ length: cuts }, () => Math.floor(random() * bytes)).sort((a, b) => a - b);
  proxy.onCarried = () => {
    if (places.length === 0 || proxy.carried[way] < places[0]!) return;
    places.shift();
    proxy.cut();
  };
}

/** What `seq 1 last` prints, as a digest. */
function digestOfSeq(last: number): { digest: string; bytes: number } {
  const hash = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  for (let from = 1; from <= last; from += 10_000) {
    const lines = Array.from({ length: Math.min(10_000, last - from + 1) }, (_, index) => `${from + index}\n`)
      .join("");
    bytes += lines.length;
    hash.update(lines);
  }
  return { digest: hash.digest("hex"), bytes };
}

describe("a line that is cut", () => {
  test("20 times at random loses no byte, mixes no streams and forgets no exit code", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    const [out, err] = [1_900_000 * SCALE, 700_000 * SCALE];
    const expected = { stdout: digestOfSeq(out), stderr: digestOfSeq(err) };
    const total = expected.stdout.bytes + expected.stderr.bytes;
    cutAtRandom(proxy, "fromServer", 20, total);
    const hashes = { stdout: new Bun.CryptoHasher("sha256"), stderr: new Bun.CryptoHasher("sha256") };
    const script = `seq 1 ${out} & seq 1 ${err} >&2; wait; exit 42`;
    const process = new Followed(
      await client.backend.start(startOptions(["/bin/sh", "-c", script])),
      (stream, bytes) => void hashes[stream === "stderr" ? "stderr" : "stdout"].update(bytes),
    );
    expect(await process.end(DEADLINE_MS)).toEqual({ exitCode: 42 });
    expect(process.bytes).toEqual({ stdout: expected.stdout.bytes, stderr: expected.stderr.bytes, pty: 0 });
    expect(hashes.stdout.digest("hex")).toBe(expected.stdout.digest);
    expect(hashes.stderr.digest("hex")).toBe(expected.stderr.digest);
    expect(process.seqs.every((seq, index) => seq === index + 1)).toBe(true);
    expect(proxy.cuts).toBe(20);
    expect(client.state).toEqual({ state: "connected" });
  });

  test("10 times at random brings every byte of input exactly once", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    const size = 5_000_000 * SCALE;
    const hash = new Bun.CryptoHasher("sha256");
    const process = new Followed(
      await client.backend.start(startOptions(["sha256sum"], { pipeStdin: true })),
    );
    cutAtRandom(proxy, "toServer", 10, size);
    const input = new Input(process.process);
    for (let sent = 0; sent < size; sent += 50_000) {
      const bytes = crypto.getRandomValues(new Uint8Array(50_000));
      hash.update(bytes);
      expect(await input.write(bytes)).toBe("accepted");
    }
    expect(await input.end()).toBe("accepted");
    expect(await process.end(DEADLINE_MS)).toEqual({ exitCode: 0 });
    expect(process.text()).toBe(`${hash.digest("hex")}  -\n`);
    expect(proxy.cuts).toBe(10);
  });

  test("while nothing happens is mended without anybody noticing", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    const process = new Followed(await client.backend.start(startOptions(["cat"], { pipeStdin: true })));
    proxy.isOpen = false;
    proxy.cut();
    await untilTrue(
      () => states.filter((state) => state === "recovering").length > 2,
      "some tries to reconnect",
    );
    proxy.isOpen = true;
    expect(await process.process.write(Buffer.from("still here"), "1")).toBe("accepted");
    await process.outputWith("still here");
    expect([states[0], states.at(-1)]).toEqual(["recovering", "connected"]);
  });

  test("holds the child back while nobody listens, and forgets nothing that it printed", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    const process = new Followed(
      await client.backend.start(
        startOptions(["/bin/sh", "-c", "read go; exec seq 1 3000000"], { pipeStdin: true }),
      ),
      () => {},
    );
    expect(await process.process.write(Buffer.from("go\n"), "1")).toBe("accepted");
    proxy.isOpen = false;
    proxy.cut();
    await untilTrue(() => client.state.state === "recovering", "the loss to be noticed");
    const there = process.bytes.stdout;
    // Much longer than it takes to print it all, were it not held.
    await Bun.sleep(700);
    expect(process.bytes.stdout).toBe(there);
    proxy.isOpen = true;
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.bytes.stdout).toBe(digestOfSeq(3_000_000).bytes);
  });

  test("at the client's end only: the server is made to notice, and the session goes on", async () => {
    const clock = new ManualClock();
    const server = await serve({ listen: LISTEN, clock });
    await using _server = { [Symbol.asyncDispose]: () => server.close() };
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url, { timeouts: { retryMs: 10 } });
    const causes: string[] = [];
    client.onState((state) => causes.push(state.state === "recovering" ? state.cause : state.state));
    const process = new Followed(await client.backend.start(startOptions(["cat"], { pipeStdin: true })));
    proxy.cutNearEnds();
    await untilTrue(() => causes.some((cause) => cause.includes("already attached")), "a busy session");
    await clock.advance(5_000);
    expect(await process.process.write(Buffer.from("back"), "1")).toBe("accepted");
    await process.outputWith("back");
    await process.process.terminate();
    await clock.advance(1_000);
    await process.end();
  });
});

describe("a line that carries nothing any more", () => {
  test("is given up after 20 s of silence, after a ping at 10 s", async () => {
    const clock = new ManualClock();
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    const client = await connect(proxy.url, { clock });
    // A live line answers the ping at 10 s, so 25 s are nothing.
    for (let s = 0; s < 25; s++) {
      await clock.advance(1_000);
      await server.settle();
    }
    expect(client.state).toEqual({ state: "connected" });
    const causes: string[] = [];
    client.onState((state) => causes.push(state.state === "recovering" ? state.cause : state.state));
    proxy.stall();
    await clock.advance(9_000);
    expect(client.state).toEqual({ state: "connected" });
    await clock.advance(12_000);
    expect(causes[0]).toBe("exec-server transport disconnected: no sign of life for 20s");
    await client.leave();
  });
});

describe("a slow line", () => {
  test("of 100 ms each way changes nothing but the time", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    proxy.delay(100);
    const process = new Followed(await client.backend.start(startOptions(["seq", "100000"])), () => {});
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.bytes.stdout).toBe(digestOfSeq(100_000).bytes);
  });
});

describe("a reader that does not read", () => {
  for (const extensions of [undefined, [] as const]) {
    const how = extensions === undefined ? "acknowledged flow" : "a paused connection";
    test(`bounds what is kept on both sides by ${how}, and gets everything once it reads`, async () => {
      await using server = await oursTarget().serve();
      await using proxy = await CutProxy.to(server.url);
      await using client = await connect(proxy.url, { ...(extensions === undefined ? {} : { extensions }) });
      const last = 6_000_000; // 46 MB
      const process = await client.backend.start(startOptions(["seq", String(last)]));
      let wake = () => {};
      const follower = process.log.follow(0, () => wake());
      await untilTrue(() => proxy.carried.fromServer > 256 * 1024, "the first output");
      let before = -1;
      // The flow has stopped when nothing comes for a while.
      while (before !== proxy.carried.fromServer) {
        before = proxy.carried.fromServer;
        await Bun.sleep(150);
      }
      expect(before).toBeLessThan(20_000_000);
      let bytes = 0;
      const ended = new Promise<void>((resolve) => {
        wake = () => {
          for (let event = follower.take(); event !== null; event = follower.take()) {
            if (event.type === "output") bytes += event.bytes.length;
            if (event.type === "closed") resolve();
          }
        };
        wake();
      });
      await within(ended, "the end of seq", DEADLINE_MS);
      expect(bytes).toBe(digestOfSeq(last).bytes);
    });
  }

  test("does not keep others from their answers", async () => {
    await using server = await oursTarget().serve();
    await using client = await connect(server.url, { extensions: [] });
    const process = await client.backend.start(startOptions(["seq", "3000000"]));
    const follower = process.log.follow(0, () => {});
    await untilTrue(() => process.log.isHeld, "a reader far behind");
    expect(await within(client.status(), "an answer")).toEqual({ status: "ready" });
    follower.leave();
  });
});

describe("a server that is gone", () => {
  test("with kill -9 fails the process with a reason, and everything that waits", async () => {
    await using server = await oursTarget().serve({ flags: [] });
    await using client = await connect(server.url, { timeouts: { attachMs: 400, recoverMs: 500 } });
    const process = new Followed(await client.backend.start(startOptions(["cat"], { pipeStdin: true })));
    globalThis.process.kill(server.pid!, "SIGKILL");
    expect(await process.end()).toEqual({
      failed:
        "exec-server transport disconnected; failed to resume exec-server session: recovery timed out after 400ms",
    });
    expect(client.state.state).toBe("failed");
    const late = Promise.resolve(process.process.write(Buffer.from("x"), "1"));
    await expect(late).rejects.toMatchObject({ code: "lost" });
    await expect(Promise.resolve(client.backend.start(startOptions(["true"])))).rejects.toMatchObject({
      code: "lost",
    });
    expect(
      await process.process.read(
        { afterSeq: 0, maxBytes: null, waitMs: 60_000 },
        new AbortController().signal,
      ),
    )
      .toMatchObject({ failure: expect.stringContaining("recovery timed out") });
  });

  test("and started anew does not know the session: a clear end at once", async () => {
    await using old = await oursTarget().serve({ flags: [] });
    await using proxy = await CutProxy.to(old.url);
    await using client = await connect(proxy.url);
    const process = new Followed(await client.backend.start(startOptions(["cat"], { pipeStdin: true })));
    await using fresh = await oursTarget().serve({ flags: [] });
    proxy.leadTo(fresh.url);
    globalThis.process.kill(old.pid!, "SIGKILL");
    expect(await process.end()).toEqual({
      failed: expect.stringMatching(/failed to resume exec-server session: .*unknown session id/),
    });
  });
});

const realCodexes = await Promise.all(CODEX_VERSIONS.map(findCodex));

describe("a real Codex server", () => {
  for (const codex of realCodexes) {
    const { version } = codex;
    const target = codex.found ? realTarget(codex.binary) : undefined;
    if (!codex.found) console.warn(`recovery: not tried: ${codex.reason}`);
    test.skipIf(target === undefined)(
      `${version}: cuts lose nothing that it still has, in or out`,
      async () => {
        await using server = await target!.serve();
        await using proxy = await CutProxy.to(server.url);
        await using client = await connect(proxy.url);
        const script = "i=0; while read line; do i=$((i+1)); echo $i $line; echo $i >&2; done; exit 6";
        const process = new Followed(
          await client.backend.start(startOptions(["/bin/sh", "-c", script], { pipeStdin: true })),
        );
        const input = new Input(process.process);
        const random = randomNumbers(`codex ${version}`);
        const [lines, errors]: [string[], string[]] = [[], []];
        for (let n = 1; n <= 400; n++) {
          if (random() < 0.03) proxy.cut();
          await input.write(Buffer.from(`line ${n}\n`));
          lines.push(`${n} line ${n}\n`);
          errors.push(`${n}\n`);
        }
        await input.settled();
        proxy.cut();
        await process.outputWith("400 line 400\n");
        await untilTrue(() => process.text("stderr").endsWith("\n400\n"), "the last line of stderr");
        expect(process.text("stdout")).toBe(lines.join(""));
        expect(process.text("stderr")).toBe(errors.join(""));
        expect(proxy.cuts).toBeGreaterThan(1);
        // The last cut may go unnoticed until somebody speaks, and a terminate is not said twice.
        await client.status().catch(() => {});
        await untilTrue(() => client.state.state === "connected", "the connection after the last cut");
        expect(await process.process.terminate()).toBe(true);
        await process.end();
      },
    );
  }
});
