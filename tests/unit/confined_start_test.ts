import { describe, expect, test } from "bun:test";
import type { StartOptions } from "../../lib/process/backend.ts";
import type { Confinement, SandboxedStart } from "../../lib/process/local/confinement.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { LocalProcess } from "../../lib/process/local/local_process.ts";
import { sandboxDenied } from "../../lib/sandbox/denial.ts";
import { localBackend, openEnds, outputOf, shell, untilClosedAgain } from "../support/local_start.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { makeGate, scratchDirectory } from "../support/peer_system.ts";
import { smallConfinement } from "../support/small_confinement.ts";

/** Far more than is kept for nobody. */
const FLOOD = "seq 1 1000000";

const within = (confinement: Confinement | Promise<Confinement>): SandboxedStart => ({
  confine: () => Promise.resolve(confinement),
  isDenied: sandboxDenied,
});

async function refusalOf(start: unknown): Promise<unknown> {
  try {
    await start;
    return null;
  } catch (error) {
    return error;
  }
}

const NOTHING_SPENT = { cpuMs: null, maxRssBytes: null };

describe("a confined start", () => {
  for (const tty of [false, true]) {
    test(`runs what was asked for on ${tty ? "a terminal" : "pipes"}, with its name, directory and variables`, async () => {
      await using backend = localBackend();
      const confinement = smallConfinement();
      const script =
        `printf '%s|' "$(head -c 5 /proc/$$/cmdline)" "$(pwd)" "$X"; read l; printf '%s' "$l"; exit 7`;
      const options = shell(script, {
        arg0: "other",
        cwd: "/usr",
        env: { PATH: "/usr/bin:/bin", X: "it's" },
        tty,
        pipeStdin: true,
      });
      const process = await backend.start(options, within(confinement));
      await process.write(Buffer.from("typed\n"), "1");
      expect(await outputOf(process)).toContain("other|/usr|it's|typed");
      expect(process.log.exited?.exitCode).toBe(7);
      expect([confinement.released, confinement.abandoned]).toEqual([1, 0]);
    });
  }

  test("takes its id at once, resolves when it runs, and is known by its id only then", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using backend = localBackend();
    const options = shell("exit 3");
    const start = backend.start(options, within(smallConfinement({ gate: `${directory.path}/gate` })));
    expect(() => backend.start(options)).toThrow(`process ${options.processId} already exists`);
    expect(backend.get(options.processId)).toBeUndefined();
    expect(backend.starting(options.processId)).toBeDefined();
    gate.open();
    const process = await start;
    expect(backend.get(options.processId)).toBe(process);
    expect(backend.starting(options.processId)).toBeUndefined();
    await process.whenClosed;
    expect(process.log.exited?.exitCode).toBe(3);
  });

  test("that was cancelled never runs, and its id is free at once", async () => {
    using directory = scratchDirectory();
    using _gate = await makeGate(`${directory.path}/gate`);
    await using backend = localBackend();
    const confinement = smallConfinement({ gate: `${directory.path}/gate` });
    const options = shell(`echo ran > ${directory.path}/ran`);
    const refused = refusalOf(backend.start(options, within(confinement)));
    await untilTrue(() => backend.starting(options.processId)?.process.pid !== null, "the spawn");
    backend.starting(options.processId)!.cancel();
    expect(await refused).toMatchObject({
      code: "cancelled",
      message: `process ${options.processId} start was cancelled`,
    });
    await untilTrue(() => confinement.released === 1, "the end of the child");
    expect(await Bun.file(`${directory.path}/ran`).exists()).toBe(false);
    const again = backend.start(shell("exit 4", { processId: options.processId }));
    await again.whenClosed;
    expect(again.log.exited?.exitCode).toBe(4);
  });

  test("that was cancelled before its confinement was there spawns nothing", async () => {
    await using backend = localBackend();
    const confinement = smallConfinement();
    const coming = Promise.withResolvers<Confinement>();
    const options = shell("exit 0");
    const refused = refusalOf(backend.start(options, within(coming.promise)));
    const start = backend.starting(options.processId)!;
    start.cancel();
    expect(await refused).toMatchObject({ code: "cancelled" });
    coming.resolve(confinement);
    await coming.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect([start.process.pid, confinement.released]).toEqual([null, 0]);
  });

  test("ends with everything else when its owner goes", async () => {
    using directory = scratchDirectory();
    using _gate = await makeGate(`${directory.path}/gate`);
    const confinement = smallConfinement({ gate: `${directory.path}/gate` });
    const backend = localBackend();
    const options = shell("exit 0");
    const refused = refusalOf(backend.start(options, within(confinement)));
    await untilTrue(() => backend.starting(options.processId)?.process.pid !== null, "the spawn");
    await backend[Symbol.asyncDispose]();
    expect(await refused).toMatchObject({ code: "cancelled" });
    expect(confinement.released).toBe(1);
  });

  test("fails in the words of an unconfined one, and leaves nothing", async () => {
    await using backend = localBackend();
    const before = openEnds();
    const gone = "No such file or directory (os error 2)";
    const failures: [Partial<StartOptions>, object][] = [
      [{ argv: ["/no/such"] }, {
        message: gone,
        failure: { phase: "program", errno: "ENOENT", path: "/no/such" },
      }],
      [{ argv: ["no-such"] }, {
        message: gone,
        failure: { phase: "program", errno: "ENOENT", path: "no-such" },
      }],
      [{ cwd: "/no/such" }, { message: gone, failure: { phase: "cwd", errno: "ENOENT", path: "/no/such" } }],
      [{ argv: ["sh", "a\0"] }, { message: "nul byte found in provided data" }],
      [{ argv: [] }, { code: "invalid", message: "argv must not be empty" }],
    ];
    for (const [more, error] of failures) {
      for (const sandboxed of [null, within(smallConfinement())]) {
        const start = new Promise((resolve) => resolve(backend.start(shell("exit 0", more), sandboxed)));
        expect(await refusalOf(start)).toMatchObject({ code: "spawn", ...error });
      }
    }
    expect(backend.processes()).toEqual([]);
    await untilClosedAgain(before);
  });

  test("that cannot be confined says so, with the step that failed", async () => {
    await using backend = localBackend();
    const confinement = smallConfinement({ setupFails: "unshare" });
    expect(await refusalOf(backend.start(shell("exit 0"), within(confinement)))).toMatchObject({
      code: "unenforceable",
      message:
        "sandbox intent cannot be enforced on this executor: unshare: Operation not permitted (os error 1)",
    });
    await untilTrue(() => confinement.released === 1, "the end of the child");
  });

  for (const errno of ["ENOENT", "ENOTDIR", "ESTALE"]) {
    test(`is tried again with a new confinement where the disk changed under the first: ${errno}`, async () => {
      await using backend = localBackend();
      const before = openEnds();
      const tried = [
        smallConfinement({ setupFails: "open /gone", errno }),
        smallConfinement({ setupFails: "copy /gone", errno }),
        smallConfinement(),
      ];
      let asked = 0;
      const sandboxed = { confine: () => Promise.resolve(tried[asked++]!), isDenied: sandboxDenied };
      const options = shell("read l; echo $l; exit 5", { pipeStdin: true });
      const process = await backend.start(options, sandboxed);
      await process.write(Buffer.from("typed\n"), "1");
      expect(await outputOf(process)).toContain("typed");
      expect(process.log.exited?.exitCode).toBe(5);
      expect([asked, ...tried.map(({ released }) => released)]).toEqual([3, 1, 1, 1]);
      expect(backend.processes()).toEqual([process]);
      await process.whenClosed;
      await untilClosedAgain(before);
    });
  }

  test("is not tried for ever, nor for what does not pass", async () => {
    await using backend = localBackend();
    for (const [errno, times] of [["ENOENT", 3], ["EPERM", 1]] as const) {
      let asked = 0;
      const confine = () => Promise.resolve((asked++, smallConfinement({ setupFails: "open /gone", errno })));
      const refusal = await refusalOf(backend.start(shell("exit 0"), { confine, isDenied: sandboxDenied }));
      expect([refusal, asked]).toMatchObject([{ code: "unenforceable" }, times]);
    }
    expect(backend.processes()).toEqual([]);
  });

  test("that is cancelled between two tries is not tried again", async () => {
    await using backend = localBackend();
    const again = Promise.withResolvers<Confinement>();
    const first = smallConfinement({ setupFails: "open /gone", errno: "ENOENT" });
    let asked = 0;
    const confine = () => asked++ === 0 ? Promise.resolve(first) : again.promise;
    const options = shell("exit 0");
    const refused = refusalOf(backend.start(options, { confine, isDenied: sandboxDenied }));
    await untilTrue(() => asked === 2, "the second try");
    backend.starting(options.processId)!.cancel();
    expect(await refused).toMatchObject({ code: "cancelled" });
    const second = smallConfinement();
    again.resolve(second);
    await again.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect([first.released, second.released]).toEqual([1, 0]);
  });

  test("keeps what was printed before anybody could follow it, and holds who prints on", async () => {
    await using backend = localBackend();
    const small = smallConfinement();
    const told = Promise.withResolvers<void>();
    const late: Confinement = {
      wrap(start) {
        const wrapped = small.wrap(start);
        return { ...wrapped, began: () => wrapped.began().then(() => told.promise) };
      },
    };
    const options = shell(FLOOD);
    const start = backend.start(options, within(late));
    const { log } = backend.starting(options.processId)!.process;
    await untilTrue(() => log.isHeld, "the child to be held");
    told.resolve();
    const process = await start;
    const follower = process.log.follow(0, () => {});
    expect(follower.take()).toMatchObject({ type: "output", seq: 1 });
    follower.leave();
    await process.whenClosed;
    expect(process.log.exited?.exitCode).toBe(0);
  });
});

describe("a process of which a sandbox was asked", () => {
  const cases: [string, string, boolean][] = [
    ["silence", "exit 1", false],
    ["a complaint", "echo Permission denied >&2; exit 1", true],
    ["a complaint and success", "echo Permission denied; exit 0", false],
    ["a complaint right before its end", "sleep 0.01; echo seccomp; exit 3", true],
  ];
  for (const [what, script, denied] of cases) {
    test(`with ${what} was ${denied ? "" : "not "}denied, confined or not`, async () => {
      await using backend = localBackend();
      const plainly = { confine: null, isDenied: sandboxDenied };
      for (const sandboxed of [plainly, within(smallConfinement())]) {
        const process = await backend.start(shell(script), sandboxed);
        await process.whenClosed;
        expect(process.log.exited?.sandboxDenied).toBe(denied);
      }
      const plain = backend.start(shell(script));
      await plain.whenClosed;
      expect(plain.log.exited?.sandboxDenied).toBe(false);
    });
  }

  test("is judged by what comes within 20 ms of its end too, if it failed", async () => {
    const early: boolean[] = [];
    for (const [code, denied] of [[1, true], [0, false]] as const) {
      const process = new LocalProcess(shell(""), systemClock, sandboxDenied);
      process.exited({ code }, NOTHING_SPENT);
      // Both are timers of one loop: whatever else goes on, they come in this order.
      await Bun.sleep(12);
      const isTold = process.log.exited !== null;
      process.output("stderr", Buffer.from("permission denied"));
      process.streamEnded("stdout");
      process.streamEnded("stderr");
      await process.whenClosed;
      early.push(isTold);
      expect(process.log.exited!.sandboxDenied).toBe(denied);
    }
    expect(early).toEqual([false, true]);
  });

  test("is judged by the last MiB that it printed, however much more is kept for a slow reader", async () => {
    const judged: number[] = [];
    const process = new LocalProcess(shell(""), systemClock, (_, output) => {
      judged.push(output.reduce((sum, { bytes }) => sum + bytes.length, 0));
      return false;
    });
    const follower = process.log.follow(0, () => {}); // takes nothing, so nothing is forgotten
    const chunk = new Uint8Array(64 * 1024);
    for (let n = 0; n < 40; n++) void process.output("stdout", chunk);
    process.streamEnded("stdout");
    process.streamEnded("stderr");
    process.exited({ code: 1 }, NOTHING_SPENT);
    await process.whenClosed;
    expect(judged).toEqual([1024 * 1024]);
    follower.leave();
  });
});
