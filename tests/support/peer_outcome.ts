import type { Message } from "./peer_conversation.ts";

/** What a process did, put together from its notifications. */
export type Outcome = {
  stdout: string;
  stderr: string;
  pty: string;
  /** Seqs in their order of arrival. */
  seqs: number[];
  /** `process/…` names in their order of arrival, without the prefix. */
  kinds: string[];
  exitCode: number;
  exitedSeq: number;
  closedSeq: number;
};

export type Chunk = { seq: number; stream: string; chunk: string };

export function bytesOf(chunks: Chunk[]): Buffer {
  return Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk, "base64")));
}

export function eventsOf(messages: Message[], processId: string): Message[] {
  return messages.filter(({ method, params }) =>
    method?.startsWith("process/") === true && params?.processId === processId
  );
}

/** All events are here when `closed`, which has the highest seq, is here and so are that many. */
export function isComplete(events: Message[]): boolean {
  const closed = events.find(({ method }) => method === "process/closed");
  return closed !== undefined && events.length >= (closed.params as { seq: number }).seq;
}

/** The output among these events, in seq order, in the shape `process/read` answers. */
export function chunksOf(events: Message[]): Chunk[] {
  return events.filter(({ method }) => method === "process/output")
    .map(({ params }) => params as Chunk)
    .map(({ seq, stream, chunk }) => ({ seq, stream, chunk }))
    .sort((a, b) => a.seq - b.seq);
}

export function outcomeOf(events: Message[]): Outcome {
  const chunks = chunksOf(events);
  const text = (stream: string) =>
    bytesOf(chunks.filter((chunk) => chunk.stream === stream)).toString("utf8");
  const find = (method: string) => events.find((event) => event.method === method)?.params;
  const exited = find("process/exited") as { exitCode: number; seq: number };
  const closed = find("process/closed") as { seq: number };
  return {
    stdout: text("stdout"),
    stderr: text("stderr"),
    pty: text("pty"),
    seqs: events.map(({ params }) => params?.seq as number),
    kinds: events.map(({ method }) => (method as string).slice("process/".length)),
    exitCode: exited.exitCode,
    exitedSeq: exited.seq,
    closedSeq: closed.seq,
  };
}
