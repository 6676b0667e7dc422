import * as z from "zod/mini";
import { DecodeError } from "./decode_error.ts";
import { flag, later, nullable, optional, struct, text, textMap, u64, variants } from "./message_fields.ts";
import type { ToldGap } from "./process_messages.ts";

// `processes.v1`: processes that outlive the session that started them, and how others find them.

/** A month: longer than anybody looks for what has ended. */
export const LONGEST_KEEP_MS = 30 * 86_400_000;
/** As many as a person can tell apart. */
const MOST_LABELS = 32;
const LONGEST_LABEL = 256;
/** A name is typed, and stands in a line of a list. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** A longer pattern is a program. */
export const LONGEST_PATTERN = 1_000;
/** The most lines that are asked for by number. */
const MOST_LINES = 100_000;
/** The most bytes of output in one answer to `process/logs`. */
export const LOGS_BYTES = 4 * 1024 * 1024;

const keptName = () =>
  text().check(
    z.regex(NAME, {
      error: "a name has 1 to 64 letters, digits, `_`, `.` or `-`, and begins with one of the first two",
    }),
  );

const labels = () =>
  textMap().check(
    z.refine((map) => Object.keys(map).length <= MOST_LABELS, { error: `at most ${MOST_LABELS} labels` }),
    z.refine((map) => Object.keys(map).every((key) => NAME.test(key)), {
      error: "a label is named as a process is",
    }),
    z.refine((map) => Object.values(map).every((value) => value.length <= LONGEST_LABEL), {
      error: `a label has at most ${LONGEST_LABEL} characters`,
    }),
  );

const between = (least: number, most: number) =>
  u64().check(
    z.minimum(least, { error: `expected ${least}..=${most}` }),
    z.maximum(most, { error: `expected ${least}..=${most}` }),
  );

/** What a start takes beside all else: it is kept where `name` or `keepMs` is given. */
export const keptStartMembers = later(() =>
  struct("KeptStart", {
    name: nullable(keptName()),
    labels: nullable(labels()),
    keepMs: nullable(between(1, LONGEST_KEEP_MS)),
  })
);

export const listProcessesParams = later(() => struct("ListParams", { labels: nullable(labels()) }));

const which = () => ({ processId: nullable(text()), name: nullable(text()) });

export const attachParams = later(() =>
  struct("AttachParams", { ...which(), afterSeq: nullable(u64()), write: optional(flag(), false) })
);

export const detachParams = later(() => struct("DetachParams", { processId: text() }));

export const waitParams = later(() => struct("WaitParams", { ...which(), waitMs: nullable(u64()) }));

/** Where the next line of a stream begins: so many bytes into that event. */
const linePlace = later(() => struct("LinePlace", { seq: u64(), skip: u64() }));

const lineCursor = later(() =>
  struct("LineCursor", {
    afterSeq: u64(),
    stdout: nullable(linePlace()),
    stderr: nullable(linePlace()),
    pty: nullable(linePlace()),
  })
);

export const logsParams = later(() =>
  struct("LogsParams", {
    ...which(),
    head: nullable(between(0, MOST_LINES)),
    tail: nullable(between(0, MOST_LINES)),
    sinceSeq: nullable(u64()),
    cursor: nullable(lineCursor()),
    stream: nullable(variants("stdout", "stderr", "pty")),
    grep: nullable(
      text().check(z.maxLength(LONGEST_PATTERN, { error: `at most ${LONGEST_PATTERN} characters` })),
    ),
    limit: nullable(between(1, LOGS_BYTES)),
    waitMs: nullable(u64()),
    follow: optional(flag(), false),
  })
);

/** What is told of a kept process. Never its arguments: they may be secrets. */
export interface ToldProcess {
  readonly processId: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** `argv[0]` as it was given. */
  readonly program: string;
  readonly state: "running" | "exited" | "closed";
  readonly exitCode: number | null;
  readonly tty: boolean;
  readonly ageMs: number;
  /** How long it will be kept yet; null while it has not closed. */
  readonly expiresInMs: number | null;
  /** How many connections follow it. */
  readonly readers: number;
  readonly nextSeq: number;
  readonly outputBytes: number;
  readonly outcome?: object;
  readonly usage?: object;
  readonly leftovers?: object;
}

export interface ListProcessesResult {
  readonly processes: readonly ToldProcess[];
}

export interface AttachResult {
  readonly process: ToldProcess;
  /** Its events follow from the one after this. */
  readonly afterSeq: number;
  /** Whether the caller may write to it now; nobody else may. */
  readonly writer: boolean;
}

export interface WaitResult {
  readonly process: ToldProcess;
}

export interface LineCursor {
  readonly afterSeq: number;
  readonly stdout?: { readonly seq: number; readonly skip: number } | null;
  readonly stderr?: { readonly seq: number; readonly skip: number } | null;
  readonly pty?: { readonly seq: number; readonly skip: number } | null;
}

export interface LogsResult {
  readonly chunks: readonly { readonly seq: number; readonly stream: string; readonly chunk: string }[];
  readonly gaps: readonly ToldGap[];
  /** Where to go on. */
  readonly cursor: LineCursor;
  /** There is more now: the answer was full. */
  readonly more: boolean;
  /** Of the `tail` lines the oldest did not fit. */
  readonly cut: boolean;
  readonly process: ToldProcess;
}

/** By which of the two a request names its process. Throws a DecodeError where by neither or both. */
export function namedBy(
  { processId, name }: { readonly processId: string | null; readonly name: string | null },
): { readonly processId: string } | { readonly name: string } {
  if (processId !== null && name === null) return { processId };
  if (name !== null && processId === null) return { name };
  throw new DecodeError("expected either `processId` or `name`");
}
