/** A slower disk is written to through the cache: a child that prints in bursts need not wait for it. */
const FAST_BYTES_PER_MS = 256 * 1024;
/** What is smaller says nothing about the disk. */
const TELLING_BYTES = 256 * 1024;
/** The best of so many counts: any of them may have waited for a processor, and not for the disk. */
const SAMPLES = 16;
/** After so much through the cache the disk is tried again. */
const RETRY_BYTES = 1024 ** 3;

/** Whether the disk is fast enough to be waited for. */
export class DiskPace {
  #inFlight = 0;
  #samples = 0;
  #best = 0;
  #cachedBytes = 0;
  #isFast = true;

  constructor(private readonly now: () => number = () => performance.now()) {}

  get isFast(): boolean {
    return this.#isFast;
  }

  /** To be called as a write begins that waits for the disk; what it returns, when it is done. */
  begin(bytes: number): () => void {
    this.#inFlight += 1;
    const [together, began] = [this.#inFlight, this.now()];
    return () => {
      this.#inFlight -= 1;
      if (bytes >= TELLING_BYTES) this.#sample(bytes * together / Math.max(this.now() - began, 0.001));
    };
  }

  wroteThroughCache(bytes: number): void {
    if (this.#isFast) return;
    this.#cachedBytes += bytes;
    if (this.#cachedBytes >= RETRY_BYTES) this.#isFast = true;
  }

  #sample(bytesPerMs: number): void {
    this.#best = Math.max(this.#best, bytesPerMs);
    this.#samples += 1;
    if (this.#samples < SAMPLES) return;
    this.#isFast = this.#best >= FAST_BYTES_PER_MS;
    [this.#samples, this.#best, this.#cachedBytes] = [0, 0, 0];
  }
}
