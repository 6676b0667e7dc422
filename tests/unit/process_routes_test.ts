import { describe, expect, test } from "bun:test";
import { Outbox } from "../../lib/rpc/outbox.ts";
import { Caller } from "../../lib/server/caller.ts";
import { processRoutes } from "../../lib/server/process_routes.ts";
import type { Found } from "../../lib/server/route.ts";
import type { Started } from "../../lib/server/session.ts";
import { SessionRegistry } from "../../lib/server/session_registry.ts";
import { NOTHING_AGREED } from "../../lib/wire/extensions.ts";
import { shell } from "../support/local_start.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ManualTransport } from "../support/manual_transport.ts";
import { makeGate, scratchDirectory } from "../support/peer_system.ts";
import { smallConfinement } from "../support/small_confinement.ts";

/** A session in which one process is starting, until the gate is opened. */
async function starting(script: string, more: { tty?: boolean; pipeStdin?: boolean } = {}) {
  const scratch = scratchDirectory();
  const gate = await makeGate(`${scratch.path}/gate`);
  const clock = new ManualClock();
  const sessions = new SessionRegistry(clock, 80_000);
  const transport = new ManualTransport();
  const outbox = new Outbox(transport);
  const session = sessions.create({ outbox, agreed: NOTHING_AGREED, challenge() {}, end() {} });
  const options = shell(script, more);
  const confinement = smallConfinement({ gate: `${scratch.path}/gate` });
  const started = session.start(options, {
    confine: () => Promise.resolve(confinement),
    isDenied: () => false,
  }) as Promise<Started>;
  const { processId } = options;
  return {
    ...{ processId, session, started, confinement },
    caller: new Caller(session, NOTHING_AGREED, outbox, clock, new AbortController().signal),
    /** The methods of all that was told. */
    told: () => transport.sent.map((text) => (JSON.parse(text) as { method: string }).method),
    open: () => gate.open(),
    [Symbol.dispose]() {
      sessions.endAll();
      gate[Symbol.dispose]();
      scratch[Symbol.dispose]();
    },
  };
}

const answerOf = async <T>(found: Found<T> | Promise<Found<T>>) => (await found)();

describe("a process that is still starting", () => {
  test("cannot be read, cannot be written, hears no signal, and runs in the end", async () => {
    using process = await starting("read x; exit 5", { pipeStdin: true });
    const { processId, caller } = process;
    const write = (writeId: string) =>
      answerOf(processRoutes["process/write"]({ processId, chunk: btoa("go\n"), writeId }, caller));
    expect(() =>
      processRoutes["process/read"]({ processId, afterSeq: null, maxBytes: null, waitMs: null }, caller)
    )
      .toThrow(`process id ${processId} is starting`);
    expect(await write("1")).toEqual({ status: "starting" });
    expect(await answerOf(processRoutes["process/closeStdin"]({ processId, writeId: "2" }, caller))).toEqual({
      status: "starting",
    });
    expect(await answerOf(processRoutes["process/signal"]({ processId, signal: "interrupt" }, caller)))
      .toEqual({});
    expect(() => process.session.start(shell("exit 0", { processId }), null)).toThrow(
      `process ${processId} already exists`,
    );
    process.open();
    const { process: running, tell } = await process.started;
    expect(await write("1")).toEqual({ status: "accepted" });
    await running.whenClosed;
    expect([running.log.exited?.exitCode, process.told()]).toEqual([5, []]);
    tell();
    await Promise.resolve();
    expect(process.told()).toEqual(["process/exited", "process/closed"]);
  });

  test("is cancelled by whoever ends it, and its start is refused", async () => {
    using process = await starting("exit 0");
    const { processId, caller } = process;
    const terminate = () => answerOf(processRoutes["process/terminate"]({ processId }, caller));
    expect(await terminate()).toEqual({ running: true });
    expect(await process.started.then(() => null, (error: unknown) => error)).toMatchObject({
      code: "cancelled",
      message: `process ${processId} start was cancelled`,
    });
    expect(await terminate()).toEqual({ running: false });
    expect(process.told()).toEqual([]);
  });

  test("has the size in the end that it was given meanwhile", async () => {
    using process = await starting("stty size", { tty: true });
    const { processId, caller } = process;
    expect(await answerOf(processRoutes["process/resize"]({ processId, rows: 5, cols: 66 }, caller))).toEqual(
      {},
    );
    process.open();
    const { process: running } = await process.started;
    await running.whenClosed;
    expect(Buffer.from((await running.log.page(0, null)).chunks[0]!.bytes).toString()).toContain("5 66");
  });
});
