import * as z from "zod/mini";
import {
  flag,
  later,
  nullable,
  optional,
  struct,
  text,
  textMap,
  texts,
  u16,
  u64,
  usize,
  variants,
} from "./message_fields.ts";
import { listOf } from "./message_list.ts";
import { sandboxContext } from "./sandbox_messages.ts";

const envPolicy = later(() =>
  struct("ExecEnvPolicy", {
    inherit: variants("core", "all", "none"),
    ignoreDefaultExcludes: flag(),
    exclude: texts(),
    set: textMap(),
    includeOnly: texts(),
  })
);

/** The kernel counts rows and columns in sixteen bits; none at all is no window. */
const windowSide = () =>
  u16().check(z.minimum(1, { error: "invalid value: integer `0`, expected 1..=65535" }));

const UUID = /^(?:urn:uuid:)?\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i;

const threadId = later(() => z.string().check(z.regex(UUID, { error: "UUID parsing failed" })));

const metadata = later(() =>
  struct("ExecMetadata", { threadId: nullable(threadId()), toolCallId: nullable(text()) })
);

/** `allowLocalBinding` has nothing to allow here: a command's loopback is its own, and at Codex it may listen there too. */
const managedNetwork = later(() =>
  struct("ManagedNetworkSandboxContext", {
    loopbackPorts: optional(listOf(u16()), []),
    allowLocalBinding: optional(flag(), false),
  })
);

export const startParams = later(() =>
  struct("WireExecParams", {
    processId: text(),
    argv: texts(),
    cwd: text(),
    env: textMap(),
    tty: flag(),
    pipeStdin: optional(flag(), false),
    arg0: nullable(text()),
    envPolicy: nullable(envPolicy()),
    sandbox: sandboxContext(),
    enforceManagedNetwork: optional(flag(), false),
    // Without the flag it asks for nothing.
    managedNetwork: nullable(managedNetwork()),
    // Refused by the sandbox gate, whatever it says inside.
    networkProxy: nullable(z.unknown()),
    metadata: nullable(metadata()),
  })
);

const size = later(() => struct("TerminalSize", { rows: windowSide(), cols: windowSide() }));

/** With `terminal.v1`. */
export const sizedStartParams = later(() => z.extend(startParams(), { size: nullable(size()) }));

const positive = () => u64().check(z.minimum(1, { error: "invalid value: integer `0`, expected 1 or more" }));

const limits = later(() =>
  struct("Limits", {
    wallMs: nullable(positive()),
    idleMs: nullable(positive()),
    memoryBytes: nullable(positive()),
    pids: nullable(positive()),
    cpuMs: nullable(positive()),
    outputBytes: nullable(positive()),
  })
);

const outcomeMembers = () => ({
  startId: nullable(text()),
  limits: nullable(limits()),
  leftovers: nullable(variants("keep", "kill", "report")),
  ending: nullable(struct("Ending", { signal: signalName(), graceMs: u64() })),
});

/** With `outcome.v1`. */
export const accountedStartParams = later(() => z.extend(startParams(), outcomeMembers()));

/** With both. */
export const fullStartParams = later(() => z.extend(sizedStartParams(), outcomeMembers()));

export interface StartResult {
  readonly processId: string;
  readonly sandboxType: "none" | "linuxSeccomp";
}

export const readParams = later(() =>
  struct("ReadParams", {
    processId: text(),
    afterSeq: nullable(u64()),
    maxBytes: nullable(usize()),
    waitMs: nullable(u64()),
  })
);

export interface ReadResult {
  readonly chunks: readonly { readonly seq: number; readonly stream: string; readonly chunk: string }[];
  readonly nextSeq: number;
  readonly exited: boolean;
  readonly exitCode: number | null;
  readonly closed: boolean;
  /** Always null from a server; a client says here why it knows no more. */
  readonly failure: string | null;
  readonly sandboxDenied: boolean;
  /** With `outcome.v1`, and only where there are any. */
  readonly gaps?: readonly ToldGap[];
  readonly outcome?: object;
  readonly usage?: object;
  readonly leftovers?: object;
}

/** Output that is not kept any more, told in its place. */
export interface ToldGap {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly bytes: number | null;
}

/** What `outcome.v1` says of an end beyond the exit code. */
export type ToldAccount = Required<Pick<ReadResult, "outcome" | "usage">> & Pick<ReadResult, "leftovers">;

export const writeParams = later(() =>
  struct("WriteParams", { processId: text(), chunk: text(), writeId: text() })
);

export interface WriteResult {
  readonly status: "accepted" | "stdinClosed" | "starting" | "unknownProcess";
}

/** With `stdin.v1`. */
export const closeStdinParams = later(() =>
  struct("CloseStdinParams", { processId: text(), writeId: text() })
);

export const signalParams = later(() =>
  struct("SignalParams", { processId: text(), signal: variants("interrupt") })
);

const signalName = () =>
  variants("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "KILL", "STOP", "CONT", "WINCH");

/** With `signals.v1`. */
export const anySignalParams = later(() =>
  struct("SignalParams", {
    processId: text(),
    signal: z.union([variants("interrupt"), signalName()]),
  })
);

export const terminateParams = later(() => struct("TerminateParams", { processId: text() }));

/** With `signals.v1`. */
export const gracefulTerminateParams = later(() =>
  z.extend(terminateParams(), {
    signal: nullable(signalName()),
    graceMs: nullable(u64()),
  })
);

/** With `terminal.v1`. */
export const resizeParams = later(() =>
  struct("ResizeParams", {
    processId: text(),
    rows: windowSide(),
    cols: windowSide(),
  })
);

/** With `flow.v1`: the reader has everything up to `seq`. A notification. */
export const ackParams = later(() => struct("AckParams", { processId: text(), seq: u64() }));

export interface TerminateResult {
  readonly running: boolean;
  /** With `signals.v1`: how many of its tree nothing has killed yet; null where that is not known. */
  readonly survivors?: number | null;
}
