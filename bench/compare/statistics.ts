export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How many times better the first is, pair by pair, so that a machine that drifts drifts for both. */
export interface Gain {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function gainOf(ours: readonly number[], theirs: readonly number[], betterIs: "less" | "more"): Gain {
  const each = ours.map((own, round) => betterIs === "more" ? own / theirs[round]! : theirs[round]! / own);
  return { median: median(each), least: Math.min(...each), most: Math.max(...each) };
}
