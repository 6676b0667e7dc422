import { nativePath } from "./byte_path.ts";
import { isOutOfRoom } from "./file_failure.ts";
import { partBeside } from "./part_name.ts";
import type { BytePath } from "./byte_path.ts";
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

async function copyAndRename({ side: { files }, source, target, facts }: ThereJob, underway: Underway) {
  const part = nativePath(partBeside(target, null).path);
  const unfinished = {
    async abandon(): Promise<null> {
      await files.remove(part, { recursive: false, force: true });
      return null;
    },
  };
  await underway.enter(unfinished);
  try {
    await files.copy(nativePath(source), part, { recursive: false });
    await files.setTimes(part, { modifiedAtMs: facts.modifiedAtMs });
    await files.rename(part, nativePath(target));
  } catch (error) {
    await underway.unlessLeaving();
    await unfinished.abandon().catch(() => {}); // what went wrong before matters more
    throw error;
  } finally {
    underway.leave(unfinished);
  }
}

async function copyOver({ side: { files }, source, target, existing }: ThereJob): Promise<void> {
  try {
    await files.copy(nativePath(source), nativePath(target), { recursive: false });
  } catch (error) {
    // Half of it must not stand there.
    if (existing === null && isOutOfRoom(error)) {
      await files.remove(nativePath(target), { recursive: false, force: true });
    }
    throw error;
  }
}
