import { FsError } from "../../lib/fs/fs_error.ts";
import { type BytePath, join, nativePath } from "./byte_path.ts";
import { stemOf } from "./part_name.ts";
import type { Side } from "./side.ts";

/** What nobody has written to for so long belongs to a copy that will not come again. */
const FORGOTTEN_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Removes what copies that were killed have left in a directory: at once where it is an older version of what has just
 * come, by its stem, else when it is forgotten. To be called after something was put there. Never fails.
 */
export async function sweepParts(
  side: Side,
  directory: BytePath,
  arrived: ReadonlySet<string>,
): Promise<void> {
  try {
    const { names } = await side.list(directory);
    const parts = names.flatMap((name) => {
      const stem = stemOf(name);
      return stem === null ? [] : [{ name, stem }];
    });
    if (parts.length === 0) return;
    // Its clock is not ours, and what we put there was the last change.
    const now = (await side.look(directory))?.modifiedAtMs ?? 0;
    for (const { name, stem } of parts) {
      const place = join(directory, name);
      const found = await side.look(place);
      if (found?.kind !== "file" || found.isLink) continue;
      if (!arrived.has(stem) && now - found.modifiedAtMs < FORGOTTEN_MS) continue;
      await side.files.remove(nativePath(place), { recursive: false, force: true });
    }
  } catch (error) {
    if (!(error instanceof FsError)) throw error; // it stays; what was to be copied is there
  }
}
