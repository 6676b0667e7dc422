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
export type WriteAnswer = z.output<ReturnType<typeof writeResult>>;

// Each throws a DecodeError.
export const readInitializeAnswer = (result: unknown): InitializeAnswer =>
  decodeParams(initializeResult(), result);
export const readStatusAnswer = (result: unknown) => decodeParams(statusResult(), result);
export const readStartAnswer = (result: unknown) => decodeParams(startResult(), result);
export const readReadAnswer = (result: unknown): ReadAnswer => decodeParams(readResult(), result);
export const readWriteAnswer = (result: unknown): WriteAnswer => decodeParams(writeResult(), result);
export const readTerminateAnswer = (result: unknown) => decodeParams(terminateResult(), result);

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
