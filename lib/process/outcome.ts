import type { LimitName } from "./limits.ts";

/** How a process ended. Nobody makes one up: what is not known is `unknown`. */
export type Outcome =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: string }
  /** It was ended because of a limit; with what it ended then. */
  | { readonly kind: "limit"; readonly limit: LimitName; readonly code?: number; readonly signal?: string }
  | { readonly kind: "unknown" };

/** What a process and those whom it waited for used until its end; null is what nobody counted. */
export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number | null;
  readonly maxRssBytes: number | null;
  /** What it had printed, by stream. */
  readonly bytes: Readonly<Partial<Record<"stdout" | "stderr" | "pty", number>>>;
}

/** Somebody whom a process left running. */
export interface Leftover {
  readonly pid: number;
  readonly name: string;
}

/** All that is to be said of an end beyond its exit code. Only ours tell it. */
export interface Account {
  readonly outcome: Outcome;
  readonly usage: Usage;
  /** Those alive at its end, the first of many; null where nobody asked or nobody can tell. */
  readonly leftovers: { readonly count: number; readonly first: readonly Leftover[] } | null;
}
