import { ProcessError } from "../process_error.ts";
import type { Stream } from "../process_event.ts";

/** What keeps the children that start through it from doing more than they may. Made elsewhere; this is all we need. */
export interface Confinement {
  /** What to spawn in the place of what was asked for. Throws an UnenforceableError where that cannot be made. */
  wrap(start: WrappedStart): Wrapped;
}

/** What shall run in the end. */
export interface WrappedStart {
  /** Tried in this order until one can be executed; one that is not absolute is relative to `cwd`. */
  readonly programs: readonly string[];
  /** The first is what it is told it is called. */
  readonly argv: readonly (string | Uint8Array)[];
  readonly cwd: string | Uint8Array;
  readonly env: Readonly<Record<string, string>>;
  readonly tty: boolean;
}

export interface Wrapped {
  readonly command: {
    readonly program: string;
    readonly argv0: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    /** They are 3, 4 and so on in the child. */
    readonly extraFds: readonly number[];
  };
  /**
   * To be called right after the spawn: closes our ends of what the child has. Resolves once the target runs. Rejects
   * with what `startFailure()` reads.
   */
  began(): Promise<void>;
  /** There was no spawn: closes everything. */
  abandon(): void;
  /** The child has ended, whether its target ever ran or not. */
  release(): void;
}

/** Why a target does not run although its child was spawned. */
export interface StartFailure {
  readonly kind: "program" | "cwd" | "setup";
  readonly errno: string;
  /** The step, in words. */
  readonly what: string;
}

/** Why a rejection of `began()` came; null where it is something that nobody foresaw. */
export function startFailure(error: unknown): StartFailure | null {
  if (!(error instanceof Error) || !("kind" in error) || !("errno" in error) || !("what" in error)) {
    return null;
  }
  const { kind, errno, what } = error;
  if (kind !== "program" && kind !== "cwd" && kind !== "setup") return null;
  return { kind, errno: String(errno), what: String(what) };
}

/** What a mount says of something that is no longer as it was when the confinement was made. */
const PASSING = new Set(["ENOENT", "ENOTDIR", "ESTALE"]);

/** Whether a start that ended so may succeed with a confinement that is made anew. */
export function isPassing(error: unknown): boolean {
  const failure = error instanceof Error ? startFailure(error.cause) : null;
  return failure?.kind === "setup" && PASSING.has(failure.errno);
}

/** The refusal of a start that cannot be confined as it was asked, in the sentence of Codex, with the step that fails. */
export function unenforceable(step: string, cause?: unknown): ProcessError {
  const error = new ProcessError(
    "unenforceable",
    `sandbox intent cannot be enforced on this executor: ${step}`,
  );
  if (cause !== undefined) error.cause = cause;
  return error;
}

/** The same for who could not even be wrapped; every other error stays as it is. */
export function startRefusal(error: unknown): unknown {
  return error instanceof Error && error.name === "UnenforceableError" ? unenforceable(error.message) : error;
}

/** What a start is to be confined to. */
export interface SandboxedStart {
  /**
   * Finds the confinement, from the variables that the command will have. Rejects with an UnenforceableError where there
   * is none. null: what was asked for restricts nothing.
   */
  readonly confine: Confine | null;
  /** Whether its end looks as if it had been denied something; asked once, with the last of what it printed. */
  readonly isDenied: DenialJudge;
}

export type Confine = (env: Readonly<Record<string, string>>) => Promise<Confinement>;

export type DenialJudge = (
  exitCode: number,
  output: readonly { readonly stream: Stream; readonly bytes: Uint8Array }[],
) => boolean;
