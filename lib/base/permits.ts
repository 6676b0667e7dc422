/** Lets so many do something at the same time; the others wait for their turn, the longest waiting first. */
export class Permits {
  readonly #waiting = new Set<() => void>();

  constructor(private free: number) {}

  /** Resolves with what gives the permit back; said twice it is given back once. Rejects when given up. */
  async take(givenUp: AbortSignal): Promise<() => void> {
    if (givenUp.aborted) throw new Error("given up");
    if (this.free > 0) this.free--;
    else await this.#turn(givenUp);
    let isHeld = true;
    return () => {
      if (isHeld) this.#giveBack();
      isHeld = false;
    };
  }

  #turn(givenUp: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        givenUp.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(begin);
        reject(new Error("given up"));
      };
      this.#waiting.add(begin);
      givenUp.addEventListener("abort", leave, { once: true });
    });
  }

  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.free++;
    } else {
      this.#waiting.delete(next);
      next();
    }
  }
}
