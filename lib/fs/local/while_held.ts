import type { Soon } from "../file_system.ts";

/** Does something that needs it held, and lets go when it is done. */
export function whileHeld<Held extends Disposable, T>(held: Held, act: (held: Held) => Soon<T>): Soon<T> {
  let done: Soon<T> | null = null;
  try {
    done = act(held);
    return done instanceof Promise ? done.finally(() => held[Symbol.dispose]()) : done;
  } finally {
    if (!(done instanceof Promise)) held[Symbol.dispose]();
  }
}
