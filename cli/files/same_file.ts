import { closeSync, constants, openSync, realpathSync, statSync } from "node:fs";
import { osErrorCode } from "../../lib/base/os_error.ts";
import { again } from "./again.ts";
import { bufferOf, type BytePath, bytePath, nativePath } from "./byte_path.ts";
import { isLinkFailure } from "./file_failure.ts";
import type { Facts, Side } from "./side.ts";

export interface Place {
  readonly side: Side;
  readonly path: BytePath;
  readonly facts: Facts;
}

/** Whether two names are of one file: writing to one would destroy the other while it is read. */
export async function isSameFile(from: Place, to: Place): Promise<boolean> {
  if (from.side === to.side || from.side.name === null && to.side.name === null) {
    if (from.facts.identity !== null) return from.facts.identity === to.facts.identity;
    const [one, other] = [await realPath(from), await realPath(to)];
    return one === other;
  }
  const [here, there] = from.side.name === null ? [from, to] : [to, from];
  return await isSameAcross(here, there);
}

/**
 * A server may be on this machine. It is if it sees the file that this process holds open, and sees the same file;
 * then its names are ours, and the system knows whether two of them are one.
 */
async function isSameAcross(here: Place, there: Place): Promise<boolean> {
  if (process.platform !== "linux" || here.facts.kind === "other" || here.facts.size !== there.facts.size) {
    return false;
  }
  const real = realpathSync.native(bufferOf(here.path), { encoding: "buffer" });
  const fd = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const held = bytePath(`/proc/${process.pid}/fd/${fd}`);
    const seen = await realPath({ ...there, path: held });
    if (seen === null || !bufferOf(seen).equals(real)) return false;
    const theirs = await realPath(there);
    if (theirs === null) return false;
    const found = statSync(bufferOf(theirs), { throwIfNoEntry: false });
    return found !== undefined && `${found.dev}:${found.ino}` === here.facts.identity;
  } catch (error) {
    if (osErrorCode(error) === null) throw error;
    return false; // what we cannot even look at, it does not share with us
  } finally {
    closeSync(fd);
  }
}

/** null where there is none, or where we may not know. */
export async function realPath({ side, path }: Pick<Place, "side" | "path">): Promise<BytePath | null> {
  try {
    return bytePath(await again(() => side.files.canonicalize(nativePath(path))));
  } catch (error) {
    if (isLinkFailure(error)) throw error;
    return null;
  }
}
