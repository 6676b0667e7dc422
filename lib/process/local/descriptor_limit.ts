import { closeSync, openSync, readFileSync } from "node:fs";
import { setSoftDescriptorLimit } from "./libc.ts";
import { procIsOurs } from "./own_proc.ts";

/** What a login gives: programs that use select(), or close every descriptor there could be, count on a small one. */
const USUAL_SOFT_LIMIT = 1_024;
/** What a start may open itself while our own limit is low. */
const ROOM_FOR_A_START = 32;

let inherited: number | undefined;

/**
 * Starts a child with the soft limit on descriptors that we were most likely started with. The runtime raises ours to
 * the hard limit before any of our code runs, and children would inherit that. With more open than the limit allows
 * nothing could be started, so then they do.
 */
export function withInheritedDescriptorLimit<T>(start: () => T): T {
  inherited ??= limitOfOurParent();
  if (lowestFreeDescriptor() + ROOM_FOR_A_START > inherited) return start();
  const ours = setSoftDescriptorLimit(inherited);
  try {
    return start();
  } finally {
    if (ours !== null) setSoftDescriptorLimit(ours);
  }
}

/** Our own is gone; whoever started us most likely had the same. The first process of a system has its own ideas. */
function limitOfOurParent(): number {
  if (process.ppid <= 1 || !procIsOurs()) return USUAL_SOFT_LIMIT;
  try {
    const limits = readFileSync(`/proc/${process.ppid}/limits`, "utf8");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? USUAL_SOFT_LIMIT);
  } catch {
    return USUAL_SOFT_LIMIT; // somebody else's process
  }
}

function lowestFreeDescriptor(): number {
  const fd = openSync("/dev/null", "r");
  closeSync(fd);
  return fd;
}
