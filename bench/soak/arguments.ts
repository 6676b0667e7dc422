/** The numbers on the command line, in their order, or what is usual. */
export function numbers(...usual: number[]): number[] {
  return usual.map((otherwise, index) => {
    const given = process.argv[2 + index];
    if (given === undefined) return otherwise;
    if (!(Number(given) > 0)) throw new Error(`A number above 0 was expected, not ${given}`);
    return Number(given);
  });
}

/** Fails a soak with a sentence; what it measured stands above. */
export function must(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(sentence);
}
