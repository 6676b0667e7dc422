import type { Choice } from "../place/choose_environment.ts";
import type { NoticeOptions } from "./notices.ts";
import type { SandboxPlan } from "./sandbox_flags.ts";
import type { Signal } from "../../lib/process/backend.ts";
import type { Keep } from "../../lib/process/keep.ts";
import type { Leftovers } from "../../lib/process/limits.ts";

/** What `run` was asked to do, with every flag read and judged. */
export interface RunPlan {
  /** Where to run. */
  readonly place: Choice;
  /** How long a lost connection is sought; null is as usual. */
  readonly reconnectMs: number | null;
  /** null: the login shell. */
  readonly argv: readonly string[] | null;
  readonly terminal: boolean;
  readonly stdin: "forward" | "none";
  /** As it was given; null where it was not. */
  readonly workdir: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly cleanEnv: boolean;
  readonly limits: { readonly wallMs: number | null; readonly idleMs: number | null };
  readonly ending: { readonly signal: Signal; readonly ms: number };
  /** null: it may do what its user may. */
  readonly sandbox: SandboxPlan | null;
  /** What becomes of those whom it leaves running. */
  readonly leftovers: Leftovers;
  readonly waitClosed: boolean;
  /** null: it ends with us. */
  readonly keep: Keep | null;
  /** Only its id is shown, and it goes on without us. */
  readonly detach: boolean;
  readonly onDisconnect: "wait" | "detach" | "kill";
  readonly escapeKey: number | null;
  /** The new file to record the terminal to. */
  readonly record: string | null;
  readonly talk: NoticeOptions;
}
