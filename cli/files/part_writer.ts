import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { osErrorCode } from "../../lib/base/os_error.ts";

/** Of this process: where its number counts, and the number. */
export function writerTag(): string {
  return `${countingPlace()}-${process.pid.toString(16)}`;
}

/** Whether the process of a tag was one of this machine, and has ended. */
export function isWriterGone(tag: string): boolean {
  const [place, number = ""] = tag.split("-");
  return place === countingPlace() && !isAlive(parseInt(number, 16));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return osErrorCode(error) !== "ESRCH"; // another user's is alive too
  }
}

let known: string | null = null;

/** Two processes with one number here are never alive at a time: this machine since it started, this container. */
function countingPlace(): string {
  known ??= createHash("sha256")
    .update([hostname(), ...LINUX_FACTS.map(({ read }) => orNothing(read))].join("\0"))
    .digest("hex").slice(0, 8);
  return known;
}

const LINUX_FACTS = [
  { read: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8") },
  { read: () => readlinkSync("/proc/self/ns/pid") },
];

/** Other systems have no such words, and no containers. */
function orNothing(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (osErrorCode(error) === null) throw error;
    return "";
  }
}
