import type { Account } from "../process/outcome.ts";
import type { ClosedEvent, GapEvent, OutputEvent, Stream } from "../process/process_event.ts";
import { decodeBase64 } from "../wire/base64.ts";
import { readAccountMembers, readGapNews } from "../wire/client_messages.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { accountOf } from "./account_words.ts";

/** An exit as the wire tells it: an old server says nothing about the sandbox (null), and has to be asked. */
export interface ToldExit {
  readonly type: "exited";
  readonly seq: number;
  readonly exitCode: number;
  readonly sandboxDenied: boolean | null;
  /** Only ours tell it. */
  readonly account?: Account;
}

/** An event as the wire tells it. */
export type ToldEvent = OutputEvent | ToldExit | ClosedEvent | GapEvent;

export interface ToldNews {
  readonly processId: string;
  readonly event: ToldEvent;
}

/**
 * What a notification tells of a process; null for one that is not about processes. Throws a DecodeError. Checked by
 * hand: this is the way of every byte that a far child prints.
 */
export function newsIn(method: string, params: unknown): ToldNews | null {
  switch (method) {
    case "process/output": {
      const { processId, seq, stream, chunk } = membersOf(method, params);
      return {
        processId: textOf(processId, "processId"),
        event: {
          type: "output",
          seq: seqOf(seq),
          stream: streamOf(stream),
          bytes: decodeBase64(textOf(chunk, "chunk")),
        },
      };
    }
    case "process/exited": {
      const { processId, seq, exitCode, sandboxDenied = null } = membersOf(method, params);
      if (typeof exitCode !== "number" || (exitCode | 0) !== exitCode) throw broken("exitCode");
      if (sandboxDenied !== null && typeof sandboxDenied !== "boolean") throw broken("sandboxDenied");
      return {
        processId: textOf(processId, "processId"),
        event: { type: "exited", seq: seqOf(seq), exitCode, sandboxDenied, ...accountIn(params) },
      };
    }
    case "process/closed": {
      const { processId, seq } = membersOf(method, params);
      return { processId: textOf(processId, "processId"), event: { type: "closed", seq: seqOf(seq) } };
    }
    case "process/gap": {
      const { processId, fromSeq, toSeq, bytes } = readGapNews(params);
      return { processId, event: gapOf({ fromSeq, toSeq, bytes }) };
    }
    default:
      return null;
  }
}

export function gapOf(told: Pick<GapEvent, "fromSeq" | "toSeq" | "bytes">): GapEvent {
  const fromSeq = seqOf(told.fromSeq);
  const toSeq = seqOf(told.toSeq);
  if (toSeq < fromSeq) throw broken("toSeq");
  return { type: "gap", seq: toSeq, fromSeq, toSeq, bytes: told.bytes };
}

function accountIn(params: unknown): { readonly account?: Account } {
  if (!("outcome" in membersOf("process/exited", params))) return {};
  const account = accountOf(readAccountMembers(params));
  return account === null ? {} : { account };
}

function membersOf(method: string, params: unknown): Record<string, unknown> {
  if (typeof params !== "object" || params === null || Array.isArray(params)) {
    throw new DecodeError(`invalid \`${method}\` notification: expected an object`);
  }
  return params as Record<string, unknown>;
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw broken(name);
  return value;
}

function seqOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) throw broken("seq");
  return value;
}

function streamOf(value: unknown): Stream {
  if (value !== "stdout" && value !== "stderr" && value !== "pty") throw broken("stream");
  return value;
}

function broken(name: string): DecodeError {
  return new DecodeError(`invalid member \`${name}\` in a process notification`);
}
