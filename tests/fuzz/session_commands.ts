import { expect } from "bun:test";
import fc from "fast-check";
import { Peer } from "../support/peer.ts";
import { refusal, type WireErrorBody } from "../support/peer_conversation.ts";
import { refusedResume } from "../support/peer_resume.ts";
import { type Kind, KINDS, type Known, type Model, type RealSession } from "./session_model.ts";

type Command = fc.AsyncCommand<Model, RealSession>;

/** A step that can always be taken: what cannot work must be refused in the right words. */
function step(name: string, run: (model: Model, real: RealSession) => Promise<void>): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real);
      for (const [id, known] of model.processes) await real.mustHaveBeenTold(id, known);
    },
    toString: () => name,
  };
}

const unknownId = (id: string): WireErrorBody => ({ code: -32600, message: `unknown process id ${id}` });

function isInput(known: Known): boolean {
  return known.kind === "cat" || known.kind === "terminal";
}

/** What a write must be answered with, and what it does to the model. */
function expectedWrite(model: Model, id: string, text: string, writeId: string): string {
  const known = model.processes.get(id);
  if (known === undefined) return "unknownProcess";
  if (!isInput(known)) return "stdinClosed";
  if (known.writeIds.has(writeId)) return "accepted";
  if (known.life === "terminated") return "failed to write to process stdin";
  known.writeIds.add(writeId);
  if (known.life === "running") known.output += text;
  return "accepted";
}

async function answerToWrite(real: RealSession, id: string, text: string, writeId: string): Promise<string> {
  const answer = real.peer.write(id, text, writeId);
  return await answer.catch(async () => {
    const { code, message } = await refusal(answer);
    expect(code).toBe(-32603);
    return message;
  });
}

function start(id: string, kind: Kind): Command {
  return step(`start ${id} as ${kind}`, async ({ processes }, real) => {
    const { params, says, exits } = KINDS[kind];
    const starting = real.peer.start({ ...params, processId: id });
    if (processes.has(id)) {
      expect(await refusal(starting)).toEqual({ code: -32600, message: `process ${id} already exists` });
      return;
    }
    expect(await starting).toBe(id);
    const known: Known = {
      kind,
      output: says,
      writeIds: new Set(),
      life: exits === undefined ? "running" : "ended",
      exitCode: exits ?? null,
    };
    processes.set(id, known);
    await real.mustTell(id, known);
  });
}

function failToStart(id: string): Command {
  return step(`start ${id} as what is not there`, async ({ processes }, real) => {
    const { code } = await refusal(real.peer.start({ processId: id, argv: ["/no/such/program"] }));
    expect(code).toBe(processes.has(id) ? -32600 : -32603);
  });
}

function write(id: string, text: string, writeId: string): Command {
  return step(`write ${JSON.stringify(text)} to ${id} as ${writeId}`, async (model, real) => {
    const expected = expectedWrite(model, id, text, writeId);
    expect(await answerToWrite(real, id, text, writeId)).toBe(expected);
  });
}

function writeAcrossCut(id: string, text: string, writeId: string): Command {
  return step(
    `write ${JSON.stringify(text)} to ${id} as ${writeId}, cut, write again`,
    async (model, real) => {
      const expected = expectedWrite(model, id, text, writeId);
      real.peer.write(id, text, writeId).catch(() => {});
      await real.cut(model);
      expect(await answerToWrite(real, id, text, writeId)).toBe(expected);
    },
  );
}

function read(id: string): Command {
  return step(`read ${id}`, async ({ processes }, real) => {
    const known = processes.get(id);
    if (known !== undefined) await real.mustTell(id, known);
    else expect(await refusal(real.peer.read(id, { waitMs: 60_000 }))).toEqual(unknownId(id));
  });
}

function readFrom(id: string, afterSeq: number, maxBytes: number): Command {
  return step(`read ${id} after ${afterSeq}, ${maxBytes} bytes`, async ({ processes }, real) => {
    const known = processes.get(id);
    if (known === undefined) return;
    await real.mustTell(id, known);
    const whole = await real.peer.read(id, { afterSeq });
    const part = await real.peer.read(id, { afterSeq, maxBytes });
    // The first chunk comes whole, and then only what fits.
    expect(part.chunks).toEqual(whole.chunks.slice(0, part.chunks.length));
    if (part.chunks.length > 0) expect(part.nextSeq).toBe(part.chunks[part.chunks.length - 1].seq + 1);
    expect(part.chunks.length > 0).toBe(whole.chunks.length > 0);
    for (const { seq } of whole.chunks) expect(seq).toBeGreaterThan(afterSeq);
  });
}

function signal(id: string): Command {
  return step(`interrupt ${id}`, async ({ processes }, real) => {
    const known = processes.get(id);
    // All that was written is out before, so that it is known what the end leaves.
    if (known !== undefined) await real.mustTell(id, known);
    expect(await real.peer.signal(id)).toEqual({});
    if (known?.life !== "running") return;
    known.life = "ended";
    known.exitCode = known.kind === "terminal" ? 1 : 130;
    await real.mustTell(id, known);
  });
}

function terminate(id: string): Command {
  return step(`terminate ${id}`, async ({ processes }, real) => {
    const known = processes.get(id);
    if (known !== undefined) await real.mustTell(id, known);
    expect(await real.peer.terminate(id)).toBe(known?.life === "running");
    if (known?.life !== "running") return;
    known.life = "terminated";
    known.exitCode = known.kind === "terminal" ? 1 : 137;
    await real.mustTell(id, known);
  });
}

const cut = step("cut", (model, real) => real.cut(model));

const claim = step("claim the session while it is attached", async (_, real) => {
  expect((await refusedResume(real.url, real.sessionId)).code).toBe(-32010);
});

const spy = step("look from another session", async ({ processes }, real) => {
  await using stranger = await Peer.ready(real.url);
  for (const id of processes.keys()) {
    expect(await refusal(stranger.read(id))).toEqual(unknownId(id));
    expect(await stranger.terminate(id)).toBe(false);
    expect(await stranger.write(id, "x", "x")).toBe("unknownProcess");
  }
});

const twins = step("ask twice under one id", async (_, real) => {
  const from = real.peer.messages.length;
  const answers = () => real.peer.messages.slice(from).filter(({ id }) => id === "twin");
  for (const method of ["environment/status", "no/such/method"]) {
    real.peer.send(JSON.stringify({ id: "twin", method }));
  }
  await real.peer.waitUntil(() => answers().length === 2, "both answers");
  expect(answers().map(({ result, error }) => result ?? error?.code).sort()).toEqual([-32601, {
    status: "ready",
  }]);
});

export function sessionCommands(): fc.Arbitrary<Command>[] {
  // Few names, so that they meet.
  const id = fc.constantFrom("a", "b", "", "c");
  const text = fc.constantFrom("x\n", "longer than before\n", "é\n", "1\n2\n");
  const writeId = fc.constantFrom("w1", "w2", "w3", "w4");
  const kind = fc.constantFrom<Kind>("cat", "cat", "terminal", "sleeper", "talker");
  return [
    fc.tuple(id, kind).map(([id, kind]) => start(id, kind)),
    fc.tuple(id, kind).map(([id, kind]) => start(id, kind)),
    id.map(failToStart),
    fc.tuple(id, text, writeId).map(([id, text, writeId]) => write(id, text, writeId)),
    fc.tuple(id, text, writeId).map(([id, text, writeId]) => write(id, text, writeId)),
    fc.tuple(id, text, writeId).map(([id, text, writeId]) => writeAcrossCut(id, text, writeId)),
    id.map(read),
    fc.tuple(id, fc.nat(4), fc.nat(30)).map(([id, after, bytes]) => readFrom(id, after, bytes)),
    id.map(signal),
    id.map(terminate),
    fc.constantFrom(cut, claim, spy, twins),
  ];
}
