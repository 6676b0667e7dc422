import { FsError } from "../../lib/fs/fs_error.ts";
import { type BytePath, join, nativePath } from "./byte_path.ts";
import { type PartFacts, placeStemOf, readPartName } from "./part_name.ts";
import type { Side } from "./side.ts";

/** What nobody has written to for so long belongs to a copy that will not come again. */
const FORGOTTEN_MS = 7 * 24 * 60 * 60 * 1000;
/** Longer than a copy waits for its connection: who has not written for so long does not write any more. */
const QUIET_MS = 2 * 60 * 1000;

/**
 * Removes what copies that were killed have left in a directory. `arrived` are the stems of what was just put there.
 * At once: what is an older version of that, for who brings it fails in the end, and what a process has left that is
 * gone. What came from elsewhere to the place of what has arrived, when nobody writes to it; the rest when it is
 * forgotten. Never fails.
 */
export async function sweepParts(
  side: Side,
  directory: BytePath,
  arrived: ReadonlySet<string>,
): Promise<void> {
  const places = new Set([...arrived].map(placeStemOf));
  const patience = ({ stem, placeStem, isLeft }: PartFacts): number =>
    isLeft || arrived.has(stem) ? -Infinity : places.has(placeStem) ? QUIET_MS : FORGOTTEN_MS;
  try {
    const { names } = await side.list(directory);
    const parts = names.flatMap((name) => {
      const facts = readPartName(name);
      return facts === null ? [] : [{ name, patienceMs: patience(facts) }];
    });
    if (parts.length === 0) return;
    // Its clock is not ours, and what we put there was the last change.
    const now = (await side.look(directory))?.modifiedAtMs ?? 0;
    for (const { name, patienceMs } of parts) {
      const place = join(directory, name);
      const found = await side.look(place);
      if (found?.kind !== "file" || found.isLink) continue;
      if (now - found.modifiedAtMs < patienceMs) continue;
      await side.files.remove(nativePath(place), { recursive: false, force: true });
    }
  } catch (error) {
    if (!(error instanceof FsError)) throw error; // it stays; what was to be copied is there
  }
}
