import { ftruncate, ftruncateSync } from "node:fs";
import type { Soon } from "../file_system.ts";
import { asFsError, now } from "./system_call.ts";

/** To give back this much takes about a millisecond; more of it is given back off the main thread. */
export const QUICKLY_CUT_BYTES = 8 * 1024 * 1024;

/** Gives an open file of this size another length. */
export function cutFile(fd: number, size: number, length = 0): Soon<void> {
  if (size - length <= QUICKLY_CUT_BYTES) return now(() => ftruncateSync(fd, length));
  return new Promise((resolve, reject) => {
    ftruncate(fd, length, (error) => error ? reject(asFsError(error)) : resolve());
  });
}
