/** Where time comes from. Handed in, so that an 80 s rule is tested in milliseconds. */
export interface Clock {
  /** Milliseconds that never run backwards; only differences mean something. */
  now(): number;
  /** Runs the action once, `ms` from now, unless cancelled before. Never keeps the program alive by itself. */
  after(ms: number, action: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

// setTimeout counts in a signed 32-bit number and fires at once above it.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      const step = Math.min(Math.max(left, 0), LONGEST_TIMEOUT_MS);
      timer = setTimeout(left > step ? () => wait(left - step) : action, step);
      timer.unref();
    };
    wait(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
