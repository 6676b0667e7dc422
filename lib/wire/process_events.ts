import { encodeBase64 } from "./base64.ts";

// The notifications of a process, put together by hand: this is the way of every byte that a child prints, and
// base64 needs no escaping. `processId` comes as JSON, quoted once per process.

export function writeOutput(processId: string, seq: number, stream: string, bytes: Uint8Array): string {
  return `{"method":"process/output","params":{"processId":${processId},"seq":${seq},` +
    `"stream":"${stream}","chunk":"${encodeBase64(bytes)}"}}`;
}

/** `sandboxDenied` is always said: a client that misses it asks once more. */
export function writeExited(
  processId: string,
  seq: number,
  exitCode: number,
  sandboxDenied: boolean,
): string {
  return `{"method":"process/exited","params":{"processId":${processId},"seq":${seq},` +
    `"exitCode":${exitCode},"sandboxDenied":${sandboxDenied}}}`;
}

export function writeClosed(processId: string, seq: number): string {
  return `{"method":"process/closed","params":{"processId":${processId},"seq":${seq}}}`;
}
