/** One thing that `doctor` looked at. */
export interface Finding {
  readonly name: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly detail: string;
  /** What to do about it; null where nothing need be done. */
  readonly hint: string | null;
}
