/** Where a random test begins: FUZZ_SEED to see a failure again, else something new. Always printed. */
export function seedOf(test: string): number {
  const given = process.env.FUZZ_SEED;
  const seed = given === undefined ? crypto.getRandomValues(new Int32Array(1))[0] : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`FUZZ_SEED is no whole number: ${given}`);
  console.warn(`${test}: FUZZ_SEED=${seed}`);
  return seed;
}

/** How long to go on: FUZZ_ROUNDS, else what the suite has time for. */
export function roundsOr(usual: number): number {
  const rounds = Number(process.env.FUZZ_ROUNDS ?? usual);
  if (!(rounds >= 1)) throw new Error(`FUZZ_ROUNDS is no number of rounds: ${process.env.FUZZ_ROUNDS}`);
  return rounds;
}
