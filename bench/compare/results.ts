import { cpus, release } from "node:os";
import type { Case } from "./case.ts";
import type { Gain } from "./statistics.ts";

export interface Side {
  /** What each measured round gave, in the unit of the row. */
  readonly values: number[];
  /** Processor seconds of the server and its children in each round; empty where they cannot be seen. */
  readonly cpu: number[];
  /** The part of each round in which the measuring client was at work: near 1, and it is the client that is measured. */
  readonly clientShare: number[];
  /** The most memory the server held; null where it cannot be seen. */
  peakMiB: number | null;
}

export interface Row extends Pick<Case, "name" | "about" | "unit" | "betterIs"> {
  readonly ours: Side;
  readonly peer: Side;
  /** Above 1: ours is better. */
  readonly gain: Gain;
  /** Above 1: ours needs less processor time. null where a side cannot be seen or used less than can be told. */
  readonly cpuGain: Gain | null;
}

/** What `--json` writes and the picture is drawn from. */
export interface Results {
  readonly when: string;
  readonly machine: { cpu: string; cores: number; kernel: string };
  readonly ours: { name: string; version: string };
  readonly peer: { name: string; version: string };
  readonly rounds: number;
  readonly rows: Row[];
  readonly problems: string[];
}

export function thisMachine(): Results["machine"] {
  return { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, kernel: release() };
}
