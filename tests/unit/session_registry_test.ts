import { describe, expect, test } from "bun:test";
import { Outbox } from "../../lib/rpc/outbox.ts";
import type { LocalProcess } from "../../lib/process/local/local_process.ts";
import type { Attached, Started } from "../../lib/server/session.ts";
import { SessionRegistry } from "../../lib/server/session_registry.ts";
import { NOTHING_AGREED } from "../../lib/wire/extensions.ts";
import { ALREADY_ATTACHED, INVALID_REQUEST } from "../../lib/wire/wire_error.ts";
import { shell } from "../support/local_start.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ManualTransport } from "../support/manual_transport.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { makeGate, scratchDirectory, untilGroupIsGone } from "../support/peer_system.ts";
import { smallConfinement } from "../support/small_confinement.ts";

const TTL_MS = 80_000;

/** A connection that remembers what it was sent and how often it was challenged. */
class Line implements Attached {
  readonly transport = new ManualTransport();
  readonly outbox = new Outbox(this.transport);
  readonly agreed = NOTHING_AGREED;
  challenges = 0;

  challenge(): void {
    this.challenges += 1;
  }

  end(): void {
    this.transport.end();
  }

  /** The method of everything sent so far, with its seq. */
  get told(): string[] {
    return this.transport.sent.map((text) => {
      const { method, params } = JSON.parse(text) as { method: string; params: { seq: number } };
      return `${method.slice("process/".length)} ${params.seq}`;
    });
  }
}

function registry() {
  const clock = new ManualClock();
  const sessions = new SessionRegistry(clock, TTL_MS);
  return { clock, sessions, [Symbol.dispose]: () => sessions.endAll() };
}

/** What runs, its start answered. */
function told(started: Started | Promise<Started>): LocalProcess {
  if (started instanceof Promise) throw new Error("It was not to be confined");
  started.tell();
  return started.process;
}

const refused = (code: number, message: string) => expect.objectContaining({ code, message });

function refusalOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("It was not refused");
}

describe("SessionRegistry", () => {
  test("each session has an id of its own that nobody can guess", () => {
    using open = registry();
    const ids = Array.from({ length: 50 }, () => open.sessions.create(new Line()).id);
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test("while its connection lives a session cannot be taken, and the holder is challenged", () => {
    using open = registry();
    const holder = new Line();
    const session = open.sessions.create(holder);
    const message = `session ${session.id} is already attached to another connection`;
    expect(refusalOf(() => open.sessions.resume(session.id, new Line()))).toEqual(
      refused(ALREADY_ATTACHED, message),
    );
    expect([holder.challenges, session.isAttachedTo(holder)]).toEqual([1, true]);
  });

  test("ids are compared to the letter", () => {
    using open = registry();
    const session = open.sessions.create(new Line());
    for (const id of ["", "x", session.id.toUpperCase(), `${session.id} `]) {
      expect(refusalOf(() => open.sessions.resume(id, new Line()))).toEqual(
        refused(INVALID_REQUEST, `unknown session id ${id}`),
      );
    }
  });

  test("a detached session waits for its deadline, which every detach sets anew", async () => {
    using open = registry();
    let line = new Line();
    const session = open.sessions.create(line);
    for (let n = 0; n < 3; n++) {
      session.detach(line);
      await open.clock.advance(TTL_MS - 1);
      line = new Line();
      expect(open.sessions.resume(session.id, line)).toBe(session);
    }
    await open.clock.advance(10 * TTL_MS);
    expect(session.isAttachedTo(line)).toBe(true);
    session.detach(new Line()); // somebody else's end is none of its business
    expect(session.isAttachedTo(line)).toBe(true);
  });

  test("at its deadline it has ended, its processes with it, and nothing of it is left", async () => {
    using open = registry();
    const line = new Line();
    const session = open.sessions.create(line);
    const process = told(session.start(shell("sleep 600 & sleep 600"), null));
    session.detach(line);
    await open.clock.advance(TTL_MS);
    expect(refusalOf(() => open.sessions.resume(session.id, new Line()))).toEqual(
      refused(INVALID_REQUEST, `unknown session id ${session.id}`),
    );
    await process.whenClosed;
    await untilGroupIsGone(process.pid!);
    expect(open.clock.pending).toBe(0);
  });

  test("a resume that comes at the deadline is too late, also when the timer is later still", async () => {
    const clock = new ManualClock();
    const sleepy = { now: () => clock.now(), after: () => ({ cancel() {} }) };
    const sessions = new SessionRegistry(sleepy, TTL_MS);
    const line = new Line();
    const session = sessions.create(line);
    session.detach(line);
    await clock.advance(TTL_MS);
    const unknown = refused(INVALID_REQUEST, `unknown session id ${session.id}`);
    expect(refusalOf(() => sessions.resume(session.id, new Line()))).toEqual(unknown);
    expect(refusalOf(() => sessions.resume(session.id, new Line()))).toEqual(unknown);
  });

  test("what happens while nobody is attached is not told again, and what follows is, to the new connection", async () => {
    using open = registry();
    const first = new Line();
    const session = open.sessions.create(first);
    const process = told(
      session.start(shell("echo one; read x; echo two; read x; exit 3", { pipeStdin: true }), null),
    );
    await untilTrue(() => first.told.length === 1, "the first output");
    session.detach(first);
    await process.write(new Uint8Array([10]), "1");
    await untilTrue(() => process.log.nextSeq === 3, "the second output");
    const second = new Line();
    open.sessions.resume(session.id, second);
    await process.write(new Uint8Array([10]), "2");
    await process.whenClosed;
    expect([first.told, second.told]).toEqual([["output 1"], ["exited 3", "closed 4"]]);
    expect((await process.log.page(0, null)).chunks).toHaveLength(2);
  });

  test("a reader that stands still holds its child, and lets go of it when it is gone", async () => {
    using open = registry();
    const line = new Line();
    line.transport.drain(0);
    const session = open.sessions.create(line);
    const process = told(session.start(shell("seq 1000000; exit 4"), null));
    await untilTrue(() => process.log.isHeld, "the child to be held");
    session.detach(line);
    await process.whenClosed;
    expect([process.log.exited?.exitCode, line.told]).toEqual([4, []]);
  });

  test("a start that is under way goes on without its connection, and the next one hears of it from its first event", async () => {
    using open = registry();
    using scratch = scratchDirectory();
    using gate = await makeGate(`${scratch.path}/gate`);
    const confinement = smallConfinement({ gate: `${scratch.path}/gate` });
    const lines = [new Line(), new Line()] as const;
    const session = open.sessions.create(lines[0]);
    const options = shell("echo one; exit 3");
    const started = session.start(options, {
      confine: () => Promise.resolve(confinement),
      isDenied: () => false,
    });
    session.detach(lines[0]);
    expect(open.sessions.resume(session.id, lines[1])).toBe(session);
    expect([session.process(options.processId), lines[1].told]).toEqual([undefined, []]);
    gate.open();
    const { process } = await started; // and nobody is left to be told of it
    await process.whenClosed;
    await untilTrue(() => lines[1].told.length === 3, "its events");
    expect([lines[0].told, lines[1].told]).toEqual([[], ["output 1", "exited 2", "closed 3"]]);
  });

  test("a start that is under way when its session ends is cancelled", async () => {
    using open = registry();
    using scratch = scratchDirectory();
    using _gate = await makeGate(`${scratch.path}/gate`);
    const confinement = smallConfinement({ gate: `${scratch.path}/gate` });
    const line = new Line();
    const session = open.sessions.create(line);
    const confine = () => Promise.resolve(confinement);
    const started = Promise.resolve(session.start(shell("exit 0"), { confine, isDenied: () => false }));
    const refused = started.then(() => null, (error: unknown) => error);
    session.detach(line);
    await open.clock.advance(TTL_MS);
    expect(await refused).toMatchObject({ code: "cancelled" });
  });
});
