/** What is asked for a process that outlives whoever starts it. */
export interface Keep {
  /** null: it is found by its id alone. */
  readonly name: string | null;
  /** Marks to find it by. */
  readonly labels: Readonly<Record<string, string>>;
  /** How long it stays readable once it has ended; null is as long as is usual there. */
  readonly ms: number | null;
}
