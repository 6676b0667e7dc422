import { expect } from "bun:test";
import { Peer, type ReadResult, type StartParams } from "../support/peer.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { bytesOf, eventsOf } from "../support/peer_outcome.ts";
import { resume } from "../support/peer_resume.ts";

export type Kind = "cat" | "terminal" | "sleeper" | "talker";

/** What each kind of child is, and what it says before anything is written to it. */
export const KINDS: Record<
  Kind,
  { params: Partial<StartParams> & { argv: string[] }; says: string; exits?: number }
> = {
  cat: { params: { argv: ["/bin/cat"], pipeStdin: true }, says: "" },
  // Neither echo nor newlines of the terminal's own, so that what comes out is what went in.
  terminal: {
    params: { argv: ["/bin/sh", "-c", "stty -echo -onlcr; echo up; exec cat"], tty: true },
    says: "up\n",
  },
  sleeper: { params: { argv: ["/bin/sleep", "300"] }, says: "" },
  talker: { params: { argv: ["/bin/sh", "-c", "echo said; exit 3"] }, says: "said\n", exits: 3 },
};

/** All that is believed of one process. Small, so that it can be believed itself. */
export type Known = {
  kind: Kind;
  output: string;
  writeIds: Set<string>;
  life: "running" | "ended" | "terminated";
  exitCode: number | null;
};

export type Model = { processes: Map<string, Known> };

/** A session and the connection that it has just now. */
export class RealSession {
  /** The last seqs that happened before this connection began. */
  readonly #before = new Map<string, number>();

  private constructor(readonly url: string, readonly sessionId: string, public peer: Peer) {}

  static async at(url: string): Promise<RealSession> {
    const peer = await Peer.connect(url);
    const { sessionId } = await peer.initialize();
    return new RealSession(url, sessionId, peer);
  }

  /** A new connection takes over after the old one broke. */
  async cut({ processes }: Model): Promise<void> {
    for (const id of processes.keys()) this.#before.set(id, (await this.peer.read(id)).nextSeq - 1);
    await this.peer.hangUp();
    this.peer = await resume(this.url, this.sessionId);
  }

  /** Reads everything, waiting until it is as much as the model knows of, or nothing more can come. */
  async readAll(id: string, known: Known): Promise<ReadResult> {
    for (;;) {
      const page = await this.peer.read(id);
      const isAllThere = bytesOf(page.chunks).length >= Buffer.byteLength(known.output);
      if (page.closed || (isAllThere && known.life === "running")) return page;
      const next = await this.peer.read(id, { afterSeq: page.nextSeq - 1, waitMs: 5_000 });
      // Nothing new in all that time: what is there is compared, and found wanting.
      if (next.nextSeq === page.nextSeq && !next.closed) return next;
    }
  }

  /** What `process/read` tells is what the model knows. */
  async mustTell(id: string, known: Known): Promise<void> {
    const page = await this.readAll(id, known);
    expect(bytesOf(page.chunks).toString("utf8")).toBe(known.output);
    const isOver = known.life !== "running";
    expect({ closed: page.closed, exited: page.exited, exitCode: page.exitCode }).toEqual({
      closed: isOver,
      exited: isOver,
      exitCode: known.exitCode,
    });
    // Nothing was evicted, so every number is an event: the chunks, then for the dead exited and closed.
    expect(page.nextSeq - 1).toBe(page.chunks.length + (isOver ? 2 : 0));
    const seqs = page.chunks.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  }

  /** What was pushed on this connection is new, has no hole and no repeat, and nothing follows `closed`. */
  async mustHaveBeenTold(id: string, known: Known): Promise<void> {
    const told = () => eventsOf(this.peer.messages, id);
    if (known.life !== "running" && told().length > 0) {
      await untilTrue(() => told().at(-1)?.method === "process/closed", `the last word of ${id}`);
    }
    const seqs = told().map(({ params }) => params?.seq as number);
    expect(seqs).toEqual(seqs.map((_, index) => seqs[0] + index));
    if (seqs.length > 0) expect(seqs[0]).toBeGreaterThan(this.#before.get(id) ?? 0);
    const ends = told().map(({ method }, index) => method === "process/closed" ? index : -1);
    expect(ends.filter((index) => index >= 0 && index !== seqs.length - 1)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}
