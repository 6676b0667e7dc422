import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import type { EventLog } from "../../lib/process/event_log.ts";
import { LocalBackend, RETENTION_MS } from "../../lib/process/local/local_backend.ts";
import { localBackend, openEnds, outputOf, shell, untilClosedAgain } from "../support/local_start.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import {
  groupMembers,
  isAlive,
  makeGate,
  scratchDirectory,
  untilGroupIsGone,
} from "../support/peer_system.ts";

const FLOOD_BYTES = 20_000_000;
/** Lines that are all different, so that a lost or doubled piece shows. */
const FLOOD = `seq 100000000 | head -c ${FLOOD_BYTES}`;
/** Lets a child leave its group and hold our ends for as long as nobody writes to the gate. */
const escape = (redirection: string) => `setsid sh -c 'echo $$ > escaped; read go < gate' ${redirection} &`;

function expectedFlood(): string {
  const lines: string[] = [];
  for (let n = 1, size = 0; size < FLOOD_BYTES; n++) {
    lines.push(`${n}\n`);
    size += lines.at(-1)!.length;
  }
  return lines.join("").slice(0, FLOOD_BYTES);
}

/** Takes all events of a log, a few at a turn of the event loop, which is slower than any child prints. */
async function followSlowly(
  log: EventLog,
): Promise<{ text: string; seqs: number[]; held: number; most: number }> {
  const follower = log.follow(0, () => {});
  const pieces: Uint8Array[] = [];
  const seqs: number[] = [];
  let [held, most] = [0, 0];
  while (pieces.length === 0 || log.closed === null || seqs.at(-1) !== log.closed.seq) {
    if (log.isHeld) held += 1;
    most = Math.max(most, log.nextSeq - 1 - (seqs.at(-1) ?? 0));
    for (let n = 0; n < 3; n++) {
      const event = follower.take();
      if (event === null) break;
      seqs.push(event.seq);
      if (event.type === "output") pieces.push(event.bytes);
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { text: Buffer.concat(pieces).toString(), seqs, held, most };
}

describe("a live reader", () => {
  for (const tty of [false, true]) {
    test(
      `gets 20 MB through a ${tty ? "terminal" : "pipe"} whole and in order, however slow it is`,
      async () => {
        await using backend = localBackend();
        const process = backend.start(shell(`${tty ? "stty raw; " : ""}${FLOOD}`, { tty }));
        const { text, seqs, held, most } = await followSlowly(process.log);
        expect(text.length).toBe(FLOOD_BYTES);
        expect(text === expectedFlood()).toBe(true);
        expect(seqs.every((seq, index) => seq === index + 1)).toBe(true);
        expect(held).toBeGreaterThan(5);
        expect(most).toBeLessThan(5_000);
        expect(process.log.exited?.exitCode).toBe(0);
      },
      60_000,
    );

    test(
      `holds a child on a ${tty ? "terminal" : "pipe"}, which goes on when the reader leaves`,
      async () => {
        await using backend = localBackend();
        const process = backend.start(shell(`${FLOOD}; exit 5`, { tty }));
        const follower = process.log.follow(0, () => {});
        await untilTrue(() => process.log.isHeld, "the child to be held");
        const before = process.log.nextSeq;
        await Bun.sleep(100); // what is on its way arrives; a child that is not held prints 10 MB meanwhile
        const { chunks } = await process.log.page(before - 1, null);
        const more = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
        expect(more).toBeLessThan(512 * 1024);
        follower.leave();
        await process.whenClosed;
        expect(process.log.exited?.exitCode).toBe(5);
      },
      60_000,
    );

    test(`that is stuck does not delay the end by force of a child on a ${tty ? "terminal" : "pipe"}`, async () => {
      await using backend = localBackend();
      const process = backend.start(shell("yes", { tty }));
      process.log.follow(0, () => {});
      await untilTrue(() => process.log.isHeld, "the child to be held");
      const began = performance.now();
      expect(process.terminate()).toBe(true);
      await process.whenClosed;
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(process.log.exited?.exitCode).toBe(tty ? 1 : 137);
      expect(process.log.closed?.seq).toBe(process.log.nextSeq - 1);
    });
  }
});

describe("the end of a process", () => {
  test("a death by any signal has its number, real-time signals too", async () => {
    await using backend = localBackend();
    for (const number of [constants.signals.SIGTERM, constants.signals.SIGSEGV, 34, 40, 64]) {
      const process = backend.start(shell(`kill -${number} $$; sleep 60`));
      await process.whenClosed;
      expect(process.log.exited?.exitCode).toBe(128 + number);
    }
  });

  test("on a terminal it is 1 for Codex, and the honest number for ours", async () => {
    await using backend = localBackend();
    for (const [terminalSignalExit, code] of [["one", 1], ["128+n", 143]] as const) {
      const process = backend.start(shell("kill -TERM $$; sleep 60", { tty: true, terminalSignalExit }));
      await process.whenClosed;
      expect(process.log.exited?.exitCode).toBe(code);
    }
  });

  test("an end by force is quick although somebody who escaped holds the output", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using backend = localBackend();
    const process = backend.start(shell(`${escape("")} echo up; exec sleep 600`, { cwd: directory.path }));
    await outputOf(process, (text) => text.includes("up"));
    const pid = Number(await fileText(`${directory.path}/escaped`));
    process.terminate();
    await process.whenClosed;
    expect([process.log.exited?.exitCode, isAlive(pid)]).toEqual([137, true]);
    gate.open();
  });

  test("whoever escaped keeps no ends of ours open once the owner is gone", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    const before = openEnds();
    {
      await using backend = localBackend();
      const process = backend.start(shell(`${escape("")} sleep 0`, { cwd: directory.path }));
      await untilTrue(() => process.log.exited !== null, "the exit");
      await fileText(`${directory.path}/escaped`);
      expect(process.log.closed).toBeNull();
    }
    await untilClosedAgain(before);
    gate.open();
  });

  test("asked to end with a grace, the child obeys, and what it started and did not is killed after it", async () => {
    const clock = new ManualClock();
    await using backend = new LocalBackend(clock);
    const script = "(trap '' TERM; echo up; while :; do sleep 0.05; done) & wait";
    const process = backend.start(shell(script));
    await outputOf(process, (text) => text.includes("up"));
    expect(process.terminate({ signal: "TERM", ms: 5_000 })).toBe(true);
    await untilTrue(() => process.log.exited !== null, "the exit");
    expect(process.log.exited?.exitCode).toBe(143);
    await clock.advance(4_999);
    expect(groupMembers(process.pid!).length).toBeGreaterThan(0);
    await clock.advance(1);
    await process.whenClosed;
    await untilGroupIsGone(process.pid!);
  });

  test("one that ignores the signal is killed when the grace is over, and asking again does not prolong it", async () => {
    const clock = new ManualClock();
    await using backend = new LocalBackend(clock);
    const process = backend.start(shell("trap '' TERM; echo up; while :; do sleep 0.05; done"));
    await outputOf(process, (text) => text.includes("up"));
    process.terminate({ signal: "TERM", ms: 1_000 });
    await clock.advance(1_000);
    await process.whenClosed;
    expect(process.log.exited?.exitCode).toBe(137);
    expect(process.terminate()).toBe(false);
  });

  test("a closed process stays readable for 80 s, then its id is free and its leftovers die", async () => {
    const clock = new ManualClock();
    await using backend = new LocalBackend(clock);
    const options = shell("sleep 600 >/dev/null 2>&1 </dev/null & echo done");
    const process = backend.start(options);
    await process.whenClosed;
    await clock.advance(RETENTION_MS - 1);
    expect(backend.get(options.processId)).toBe(process);
    expect(() => backend.start(options)).toThrow("already exists");
    expect(groupMembers(process.pid!)).toHaveLength(1);
    await clock.advance(1);
    expect(backend.get(options.processId)).toBeUndefined();
    await untilGroupIsGone(process.pid!);
    const again = backend.start(options);
    await again.whenClosed;
  });

  test("once all were ended nothing is left to be remembered", async () => {
    const clock = new ManualClock();
    const backend = new LocalBackend(clock);
    const process = backend.start(shell("sleep 600"));
    backend.endAll();
    await process.whenClosed;
    await clock.advance(0);
    expect([clock.pending, backend.processes()]).toEqual([0, []]);
  });
});

describe("stdin", () => {
  test("a child that closed its input is written to without an error", async () => {
    await using backend = localBackend();
    const process = backend.start(shell("exec <&-; echo up; sleep 0.2", { pipeStdin: true }));
    await outputOf(process, (text) => text.includes("up"));
    for (let n = 0; n < 300; n++) {
      expect(await process.write(new Uint8Array(64 * 1024), `w${n}`)).toBe("accepted");
    }
    await process.whenClosed;
    expect(process.log.exited?.exitCode).toBe(0);
  });

  for (const end of ["exits", "is killed"]) {
    test(`somebody who holds its read end and never reads keeps no end open once the child ${end}`, async () => {
      using directory = scratchDirectory();
      using gate = await makeGate(`${directory.path}/gate`);
      const before = openEnds();
      await using backend = localBackend();
      const script = `exec 3<&0; ${escape("<&3 >/dev/null 2>&1")} exec 3<&-; echo up; exec sleep 600`;
      const process = backend.start(shell(script, { cwd: directory.path, pipeStdin: true }));
      await outputOf(process, (text) => text.includes("up"));
      await fileText(`${directory.path}/escaped`);
      for (let n = 0; n < 5; n++) await process.write(new Uint8Array(50_000), `w${n}`);
      if (end === "exits") process.signal("TERM");
      else process.terminate();
      await process.whenClosed;
      await untilClosedAgain(before);
      gate.open();
    });
  }

  test("a large write arrives whole, and its end after it", async () => {
    await using backend = localBackend();
    const process = backend.start(shell("wc -c", { pipeStdin: true }));
    process.write(new Uint8Array(5_000_000), "1");
    process.closeInput("2");
    expect((await outputOf(process)).trim()).toBe("5000000");
  });

  test("a terminal can be typed into for as long as somebody reads", async () => {
    await using backend = localBackend();
    const process = backend.start(shell("stty raw -echo; echo up; head -c 300000 | wc -c", { tty: true }));
    await outputOf(process, (text) => text.includes("up"));
    for (let n = 0; n < 300; n++) await process.write(new Uint8Array(1_000).fill(97), `w${n}`);
    expect(await outputOf(process)).toContain("300000");
  });
});

describe("a start", () => {
  test("works in a directory whose name is not UTF-8, also for programs relative to it", async () => {
    using directory = scratchDirectory();
    const cwd = Buffer.concat([Buffer.from(`${directory.path}/caf`), Buffer.from([0xe9])]);
    mkdirSync(cwd);
    await using backend = localBackend();
    const made = backend.start(shell("printf '#!/bin/sh\\necho here' > tool; chmod +x tool", { cwd }));
    await made.whenClosed;
    expect(made.log.exited?.exitCode).toBe(0);
    for (const argv of [["./tool"], ["tool"]]) {
      const process = backend.start(shell("", { cwd, argv, env: { PATH: ":/usr/bin" } }));
      expect(await outputOf(process)).toBe("here\n");
    }
    const missing = Buffer.concat([cwd, Buffer.from([0xff])]);
    expect(() => backend.start(shell("true", { cwd: missing }))).toThrow("No such file or directory");
  });

  test("does not search a PATH that no program could be given", async () => {
    await using backend = localBackend();
    const env = { PATH: "/no/such/place:".repeat(1_000_000) };
    expect(() => backend.start(shell("", { argv: ["true"], env }))).toThrow("Argument list too long");
  });

  test("that fails leaves nothing behind, and neither do hundreds that work", async () => {
    const before = openEnds();
    await using backend = localBackend();
    for (let n = 0; n < 60; n++) {
      const tty = n % 2 === 0;
      expect(() => backend.start(shell("", { argv: ["/no/such/program"], tty }))).toThrow();
    }
    const all = Array.from(
      { length: 120 },
      (_, n) => backend.start(shell("exit 3", { tty: n % 3 === 0, pipeStdin: n % 2 === 0 })),
    );
    for (const process of all) {
      await process.whenClosed;
      expect(process.log.exited?.exitCode).toBe(3);
    }
    await untilClosedAgain(before);
  });
});

async function fileText(path: string): Promise<string> {
  await untilTrue(() => Bun.file(path).size > 0, `${path} to be written`);
  return await Bun.file(path).text();
}
