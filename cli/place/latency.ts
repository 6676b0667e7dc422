import type { Environment } from "../../lib/environment/environment.ts";

/** Enough that one hiccup is not the median. */
const PROBES = 5;

export interface Latency {
  readonly bestMs: number;
  readonly medianMs: number;
}

/** How long it takes to hear from an environment. Rejects with why nothing was heard. */
export async function measureLatency(environment: Environment): Promise<Latency> {
  const times: number[] = [];
  for (let probe = 0; probe < PROBES; probe++) {
    const begin = performance.now();
    const status = await environment.status();
    if (status.kind !== "ready") throw new Error(status.kind === "pending" ? "not connected" : status.error);
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { bestMs: times[0]!, medianMs: times[Math.floor(PROBES / 2)]! };
}

/** `0.24 ms`, `38 ms` */
export function inMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}
