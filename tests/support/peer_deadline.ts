/** How long a test waits for something that must happen before it calls that a failure. */
export const FAILURE_DEADLINE_MS = 10_000;

/** Settles as `promise` does; rejects with a sentence about `what` when nothing happened for too long. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  deadlineMs: number = FAILURE_DEADLINE_MS,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Waited ${deadlineMs} ms in vain for ${what}`)),
    deadlineMs,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Resolves once `holds` says so, for facts of the system that announce nothing (a pid that is gone, a file that is there).
 * It looks every few milliseconds; the deadline is only there to fail.
 */
export async function untilTrue(
  holds: () => boolean,
  what: string,
  deadlineMs: number = FAILURE_DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain for ${what}`);
    await Bun.sleep(3);
  }
}
