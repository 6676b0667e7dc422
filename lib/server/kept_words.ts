import { encodeBase64 } from "../wire/base64.ts";
import type { Agreed } from "../wire/extensions.ts";
import type { LogsResult, ToldProcess } from "../wire/processes_v1_messages.ts";
import type { Found } from "../process/search/search_log.ts";
import { KEEP_MS, type Kept } from "./kept_processes.ts";
import { accountInWords, gapInWords } from "./outcome_words.ts";

/** A path may be long, and this is for a line of a list. */
const LONGEST_PROGRAM = 256;

export function keptInWords(kept: Kept, now: number, agreed: Agreed): ToldProcess {
  const { process, keep, program, tty, startedAt, closedAt, readers } = kept;
  const { exited, closed, nextSeq, writtenBytes } = process.log;
  return {
    processId: process.processId,
    name: keep.name,
    labels: keep.labels,
    program: program.slice(0, LONGEST_PROGRAM),
    state: closed !== null ? "closed" : exited !== null ? "exited" : "running",
    exitCode: exited?.exitCode ?? null,
    tty,
    ageMs: Math.floor(now - startedAt),
    expiresInMs: closedAt === null ? null : Math.max(0, Math.ceil(closedAt + (keep.ms ?? KEEP_MS) - now)),
    readers: [...readers].filter(({ isListening }) => isListening).length,
    nextSeq,
    outputBytes: writtenBytes,
    ...accountInWords(exited?.account, agreed),
  };
}

export function foundInWords(found: Found, process: ToldProcess): LogsResult {
  return {
    chunks: found.chunks.map(({ seq, stream, bytes }) => ({ seq, stream, chunk: encodeBase64(bytes) })),
    gaps: found.gaps.map(gapInWords),
    cursor: found.place,
    more: found.more,
    cut: found.isCut,
    process,
  };
}
