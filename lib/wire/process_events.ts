import { encodeBase64 } from "./base64.ts";
import type { ToldAccount, ToldGap } from "./process_messages.ts";
import { WrittenResult } from "./envelope.ts";
import type { ReadResult } from "./process_messages.ts";

// The notifications of a process, put together by hand: this is the way of every byte that a child prints, and
// base64 needs no escaping. `processId` comes as JSON, quoted once per process.

export function writeOutput(processId: string, seq: number, stream: string, bytes: Uint8Array): string {
  return `{"method":"process/output","params":{"processId":${processId},"seq":${seq},` +
    `"stream":"${stream}","chunk":"${encodeBase64(bytes)}"}}`;
}

/** The answer to a read, which may be megabytes of base64 too. */
export function writeReadResult(
  chunks: readonly { readonly seq: number; readonly stream: string; readonly bytes: Uint8Array }[],
  rest: Omit<ReadResult, "chunks">,
): WrittenResult<ReadResult> {
  // Added one to the other and not joined: that would be one more copy of megabytes.
  let written = "";
  for (const { seq, stream, bytes } of chunks) {
    written += `${written === "" ? "" : ","}{"seq":${seq},"stream":"${stream}","chunk":"${
      encodeBase64(bytes)
    }"}`;
  }
  return new WrittenResult(`{"chunks":[${written}],${JSON.stringify(rest).slice(1)}`);
}

/** `sandboxDenied` is always said: a client that misses it asks once more. */
export function writeExited(
  processId: string,
  seq: number,
  exitCode: number,
  sandboxDenied: boolean,
  /** With `outcome.v1`. */
  account: ToldAccount | null = null,
): string {
  const more = account === null ? "" : `,${JSON.stringify(account).slice(1, -1)}`;
  return `{"method":"process/exited","params":{"processId":${processId},"seq":${seq},` +
    `"exitCode":${exitCode},"sandboxDenied":${sandboxDenied}${more}}}`;
}

/** With `outcome.v1`: output that is not kept any more, in its place. */
export function writeGap(processId: string, { fromSeq, toSeq, bytes }: ToldGap): string {
  return `{"method":"process/gap","params":{"processId":${processId},"fromSeq":${fromSeq},` +
    `"toSeq":${toSeq},"bytes":${bytes}}}`;
}

export function writeClosed(processId: string, seq: number): string {
  return `{"method":"process/closed","params":{"processId":${processId},"seq":${seq}}}`;
}
