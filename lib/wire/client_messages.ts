import * as z from "zod/mini";
import { decodeParams } from "./decode.ts";
import type { EnvironmentInfo } from "./environment_messages.ts";
import {
  flag,
  later,
  nullable,
  optional,
  struct,
  text,
  textMap,
  texts,
  u64,
  unchecked,
  variants,
} from "./message_fields.ts";
import { WireError } from "./wire_error.ts";

// What a server answers, read as carefully as what a client asks: the server may be older, newer or not one at all.

const initializeResult = later(() =>
  struct("InitializeResponse", {
    sessionId: text(),
    /** Since 0.169; the first servers answered with the id alone. */
    environmentInfo: unchecked(),
    extensions: optional(texts(), []),
    flow: nullable(struct("Flow", { windowBytes: u64() })),
    trees: nullable(
      struct("Trees", {
        tier: variants("cgroup", "subreaper", "group"),
        limits: texts(),
        failing: nullable(text()),
      }),
    ),
  })
);

const environmentInfo = later(() =>
  struct("EnvironmentInfo", {
    shell: struct("ShellInfo", { name: text(), path: text() }),
    executorVersion: optional(text(), "0.0.0"),
    providerId: optional(text(), ""),
    cwd: nullable(text()),
    userHomeDir: nullable(text()),
    platformOs: optional(variants("linux", "macos", "windows"), "linux"),
    temporaryDirectories: optional(texts(), []),
    tempDir: optional(text(), "file:///tmp"),
    capabilities: optional(z.record(z.string(), z.unknown()), {}),
  })
);

const statusResult = later(() => struct("EnvironmentStatus", { status: text() }));

const i32 = () => z.int().check(z.minimum(-(2 ** 31)), z.maximum(2 ** 31 - 1));

const accountMembers = () => ({
  outcome: nullable(z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("exited"), code: i32() }),
    z.object({ kind: z.literal("signalled"), signal: text() }),
    z.object({
      kind: z.literal("limit"),
      limit: variants("wallMs", "idleMs", "memoryBytes", "pids", "cpuMs", "outputBytes"),
      code: nullable(i32()),
      signal: nullable(text()),
    }),
    z.object({ kind: z.literal("unknown") }),
  ])),
  usage: nullable(
    struct("Usage", {
      wallMs: u64(),
      cpuMs: nullable(u64()),
      maxRssBytes: nullable(u64()),
      bytes: struct("Bytes", { stdout: nullable(u64()), stderr: nullable(u64()), pty: nullable(u64()) }),
    }),
  ),
  leftovers: nullable(
    struct("Leftovers", {
      count: u64(),
      processes: z.array(struct("Leftover", { pid: u64(), name: text() })),
    }),
  ),
});

/** What `outcome.v1` adds to an exit; all of it is missing where a plain Codex server tells one. */
const account = later(() => struct("Account", accountMembers()));

const gap = () => ({ fromSeq: u64(), toSeq: u64(), bytes: nullable(u64()) });

const gapNews = later(() => struct("GapNotification", { processId: text(), ...gap() }));

const readResult = later(() =>
  struct("ReadResponse", {
    chunks: z.array(
      struct("OutputChunk", { seq: u64(), stream: variants("stdout", "stderr", "pty"), chunk: text() }),
    ),
    nextSeq: u64(),
    exited: flag(),
    exitCode: nullable(i32()),
    closed: flag(),
    failure: nullable(text()),
    sandboxDenied: optional(flag(), false),
    gaps: optional(z.array(struct("Gap", gap())), []),
    ...accountMembers(),
  })
);

const linePlace = () => nullable(struct("LinePlace", { seq: u64(), skip: u64() }));

const keptProcess = later(() =>
  struct("KeptProcess", {
    processId: text(),
    name: nullable(text()),
    labels: optional(textMap(), {}),
    program: text(),
    state: variants("running", "exited", "closed"),
    exitCode: nullable(i32()),
    tty: flag(),
    ageMs: u64(),
    expiresInMs: nullable(u64()),
    readers: u64(),
    nextSeq: u64(),
    outputBytes: u64(),
    ...accountMembers(),
  })
);

const listResult = later(() => struct("ListResponse", { processes: z.array(keptProcess()) }));

const attachResult = later(() =>
  struct("AttachResponse", { process: keptProcess(), afterSeq: u64(), writer: flag() })
);

const waitResult = later(() => struct("WaitResponse", { process: keptProcess() }));

const logsResult = later(() =>
  struct("LogsResponse", {
    chunks: z.array(
      struct("OutputChunk", { seq: u64(), stream: variants("stdout", "stderr", "pty"), chunk: text() }),
    ),
    gaps: z.array(struct("Gap", gap())),
    cursor: struct("LineCursor", {
      afterSeq: u64(),
      ...{ stdout: linePlace(), stderr: linePlace(), pty: linePlace() },
    }),
    more: flag(),
    cut: optional(flag(), false),
    process: keptProcess(),
  })
);

const startResult = later(() => struct("StartResponse", { processId: text() }));

const writeResult = later(() =>
  struct("WriteResponse", {
    status: variants("accepted", "stdinClosed", "starting", "unknownProcess"),
  })
);

const terminateResult = later(() => struct("TerminateResponse", { running: flag() }));

export type InitializeAnswer = z.output<ReturnType<typeof initializeResult>>;
export type ReadAnswer = z.output<ReturnType<typeof readResult>>;
export type KeptAnswer = z.output<ReturnType<typeof keptProcess>>;
export type AccountMembers = z.output<ReturnType<typeof account>>;
export type WriteAnswer = z.output<ReturnType<typeof writeResult>>;

// Each throws a DecodeError.
export const readInitializeAnswer = (result: unknown): InitializeAnswer =>
  decodeParams(initializeResult(), result);
export const readStatusAnswer = (result: unknown) => decodeParams(statusResult(), result);
export const readStartAnswer = (result: unknown) => decodeParams(startResult(), result);
export const readReadAnswer = (result: unknown): ReadAnswer => decodeParams(readResult(), result);
export const readWriteAnswer = (result: unknown): WriteAnswer => decodeParams(writeResult(), result);
export const readListAnswer = (result: unknown) => decodeParams(listResult(), result);
export const readAttachAnswer = (result: unknown) => decodeParams(attachResult(), result);
export const readWaitAnswer = (result: unknown) => decodeParams(waitResult(), result);
export const readLogsAnswer = (result: unknown) => decodeParams(logsResult(), result);
export const readTerminateAnswer = (result: unknown) => decodeParams(terminateResult(), result);

export const readAccountMembers = (params: unknown): AccountMembers => decodeParams(account(), params);
export const readGapNews = (params: unknown) => decodeParams(gapNews(), params);

/** What a server says of itself; what older ones leave out is filled in with what they are. */
export function readEnvironmentInfo(result: unknown): EnvironmentInfo {
  const { userHomeDir, capabilities, ...info } = decodeParams(environmentInfo(), result);
  const able = Object.entries(capabilities).filter(([, value]) => value === true);
  return {
    ...info,
    ...(userHomeDir === null ? {} : { userHomeDir }),
    capabilities: Object.fromEntries(able),
  };
}

/** The refusal in an error answer; null when it is none. */
export function readWireError(error: unknown): WireError | null {
  if (typeof error !== "object" || error === null) return null;
  const { code, message, data } = error as Record<string, unknown>;
  if (typeof code !== "number" || !Number.isInteger(code) || typeof message !== "string") return null;
  // Only objects mean something to us; other servers may put anything there.
  return new WireError(code, message, typeof data === "object" && data !== null ? data : undefined);
}
