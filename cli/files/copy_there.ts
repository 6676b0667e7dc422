import type { Soon } from "../../lib/fs/file_system.ts";
import { type BytePath, nativePath } from "./byte_path.ts";
import { isLinkFailure, isOutOfRoom, writing } from "./file_failure.ts";
import { partBeside } from "./part_name.ts";
import type { Facts, Side } from "./side.ts";
import type { Underway } from "./underway.ts";

export interface ThereJob {
  readonly side: Side;
  readonly source: BytePath;
  readonly target: BytePath;
  readonly facts: Facts;
  /** What stands at the target now. */
  readonly existing: Facts | null;
}

/** A server copies a file to another place of its own; the mode comes along, and no byte comes here. */
export async function copyThere(job: ThereJob, underway: Underway): Promise<void> {
  await (job.side.isBeyondCodex ? copyAndRename(job, underway) : copyOver(job));
}

async function copyAndRename({ side, source, target, facts }: ThereJob, underway: Underway) {
  const { files } = side;
  const part = nativePath(partBeside(target, null).path);
  const unfinished = {
    async abandon(): Promise<null> {
      await files.remove(part, { recursive: false, force: true });
      return null;
    },
  };
  await underway.enter(unfinished);
  try {
    await blaming(side, source, target, () => files.copy(nativePath(source), part, { recursive: false }));
    await writing(side, target, () => files.setTimes(part, { modifiedAtMs: facts.modifiedAtMs }));
    await writing(side, target, () => files.rename(part, nativePath(target)));
  } catch (error) {
    await underway.unlessLeaving();
    await unfinished.abandon().catch(() => {}); // what went wrong before matters more
    throw error;
  } finally {
    underway.leave(unfinished);
  }
}

async function copyOver({ side, source, target, existing }: ThereJob): Promise<void> {
  const { files } = side;
  try {
    const copy = () => files.copy(nativePath(source), nativePath(target), { recursive: false });
    await blaming(side, source, target, copy);
  } catch (error) {
    // Half of it must not stand there.
    if (existing === null && isOutOfRoom(error)) {
      await files.remove(nativePath(target), { recursive: false, force: true });
    }
    throw error;
  }
}

/** The server does not tell which of the two it means; a source that it can open is not what failed. */
async function blaming(
  side: Side,
  source: BytePath,
  target: BytePath,
  copy: () => Soon<void>,
): Promise<void> {
  try {
    await copy();
  } catch (error) {
    if (isLinkFailure(error)) throw error;
    const file = await side.files.open(nativePath(source), "read");
    await file.close();
    await writing(side, target, () => Promise.reject(error));
  }
}
