import { closeSync, writeSync } from "node:fs";
import { osErrorCode } from "../base/os_error.ts";
import { makeSocketPair, receive } from "./passed_fds_libc.ts";

/** More than a kernel lets through at once is never asked for: this is its limit (SCM_MAX_FD). */
export const MOST_PASSED_FDS = 253;

/** Where a control message begins its content, and where it says what it is. */
const HEADER = { bytes: 16, length: 0, level: 8, type: 12 } as const;
const FD_BYTES = 4;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** What a control message looks like that passes as many descriptors; their numbers come behind it. */
export function rightsMessage(count: number): Uint8Array {
  const bytes = new Uint8Array(HEADER.bytes + Math.ceil(count / 2) * 2 * FD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(HEADER.length, BigInt(HEADER.bytes + count * FD_BYTES), true);
  view.setInt32(HEADER.level, SOL_SOCKET, true);
  view.setInt32(HEADER.type, SCM_RIGHTS, true);
  return bytes;
}

/** Where in it a descriptor has its place. */
export function placeOfRight(index: number): number {
  return HEADER.bytes + index * FD_BYTES;
}

/** A line to the helper, for what only it can make and only we can use. Closed in children that are not given it. */
export class Handover {
  readonly childEnd: number;
  readonly #ourEnd: number;
  #open: "both" | "ours" | "none" = "both";

  private constructor(ends: { ours: number; theirs: number }) {
    this.#ourEnd = ends.ours;
    this.childEnd = ends.theirs;
  }

  /** null where there are too many open files. */
  static make(): Handover | null {
    const ends = makeSocketPair();
    return ends === null ? null : new Handover(ends);
  }

  /** To be called once the helper has its end. */
  closeChildEnd(): void {
    if (this.#open !== "both") return;
    this.#open = "ours";
    closeSync(this.childEnd);
  }

  /** What the helper has sent: all that is expected of it, or null. They are the caller's from here on. */
  take(count: number): number[] | null {
    const control = receive(this.#ourEnd, rightsMessage(MOST_PASSED_FDS).length);
    const fds = control === null ? [] : descriptorsIn(control);
    if (fds.length === count) return fds;
    for (const fd of fds) closeSync(fd);
    return null;
  }

  /** The helper may go on, if it still lives. */
  confirm(): void {
    if (this.#open === "none") return;
    try {
      writeSync(this.#ourEnd, "k");
    } catch (error) {
      if (osErrorCode(error) !== "EPIPE") throw error;
    }
  }

  close(): void {
    this.closeChildEnd();
    if (this.#open === "none") return;
    this.#open = "none";
    closeSync(this.#ourEnd);
  }
}

function descriptorsIn(control: Uint8Array): number[] {
  if (control.length < HEADER.bytes) return [];
  const view = new DataView(control.buffer, control.byteOffset, control.length);
  const isRights = view.getInt32(HEADER.level, true) === SOL_SOCKET &&
    view.getInt32(HEADER.type, true) === SCM_RIGHTS;
  if (!isRights) return [];
  const end = Math.min(Number(view.getBigUint64(HEADER.length, true)), control.length);
  const fds: number[] = [];
  for (let at: number = HEADER.bytes; at + FD_BYTES <= end; at += FD_BYTES) fds.push(view.getInt32(at, true));
  return fds;
}
