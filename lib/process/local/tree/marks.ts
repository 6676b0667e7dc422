import { setSoftLockLimit, softLockLimit } from "../libc.ts";
import { lockLimitOf } from "./kin.ts";

/**
 * A number that a child and all who descend from it carry, whatever they do: it is their limit on file locks. Every system
 * has that limit and none has looked at it since 2003; a new session, another parent, another program or an empty
 * environment leave it as it is.
 */
export type Mark = number & { readonly isMark: true };

// Above every limit that anybody would set, and still exact as a number. Which of us set it, and the how manieth start.
const FIRST = 2 ** 52;
const STARTS = 2 ** 28;
const SERVERS = 2 ** 24;

const ours = FIRST + crypto.getRandomValues(new Uint32Array(1))[0]! % SERVERS * STARTS;
let starts = 0;
let inherited: number | null | undefined;

export function newMark(): Mark {
  starts = (starts + 1) % STARTS;
  return (ours + starts) as Mark;
}

/** Starts something that carries the mark. */
export function marked<T>(mark: Mark, start: () => T): T {
  setSoftLockLimit(BigInt(mark));
  try {
    return start();
  } finally {
    setSoftLockLimit(null);
  }
}

/** What a process carries; null for one that was never marked, or only by whoever started us. */
export function markOf(pid: number): Mark | null {
  const limit = lockLimitOf(pid);
  if (limit === null || limit < FIRST || limit >= 2 * FIRST || limit === ownMark()) return null;
  return limit as Mark;
}

/** Whether this system lets us mark anybody. */
export function canMark(): boolean {
  const can = setSoftLockLimit(BigInt(FIRST));
  return setSoftLockLimit(null) && can;
}

/** We may be a process in somebody else's tree. */
function ownMark(): number | null {
  if (inherited === undefined) {
    const limit = softLockLimit();
    inherited = limit === null ? null : Number(limit);
  }
  return inherited;
}
