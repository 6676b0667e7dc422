import { fullGC } from "bun:jsc";

/** Smaller ones are collected early enough by the runtime. */
const LARGE_CHARS = 256 * 1024;
/** What passes before what is left of it is collected. */
const COLLECT_CHARS = 32 * 1024 * 1024;

let passed = 0;
let limit = COLLECT_CHARS;

/**
 * A text that crosses a socket is garbage soon after. The runtime takes those that it meets in a small collection for
 * something that stays, and keeps them until the next large one, which is rare: 100 MiB of them during an upload. So
 * there is a large one now and then: a few milliseconds, and less than the fresh memory costs that it saves.
 */
export function textPassed(chars: number): void {
  if (chars < LARGE_CHARS) return;
  passed += chars;
  if (passed < limit) return;
  passed = 0;
  // It takes the longer the more the program holds, so that has to pass as well.
  limit = Math.max(COLLECT_CHARS, fullGC());
}
