/**
 * Keeps up to so many things going and gives their results in the order in which they were begun. `begin` answers
 * null when there is nothing more to begin. However it ends, nothing that was begun is still going then.
 */
export async function* inOrder<T>(atOnce: number, begin: () => Promise<T> | null): AsyncGenerator<T> {
  const going: Promise<T>[] = [];
  try {
    for (let isMore = true;;) {
      while (isMore && going.length < atOnce) {
        const next = begin();
        if (next === null) isMore = false;
        else going.push(next);
      }
      const first = going[0];
      if (first === undefined) return;
      // Those behind it may fail while nobody looks.
      for (const other of going) other.catch(() => {});
      const result = await first;
      going.shift();
      yield result;
    }
  } finally {
    await Promise.allSettled(going);
  }
}
