import type { BytePath } from "./byte_path.ts";
import { isOutOfRoom, RoomError } from "./file_failure.ts";
import type { Facts, Side } from "./side.ts";

/** Where a copy met a full disk, the user is told what stands under the name: he may have to tidy up. */
export async function tellWhatIsLeft(
  to: Side,
  target: BytePath,
  before: Facts | null,
  copy: () => Promise<void>,
): Promise<void> {
  try {
    await copy();
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    let now: Facts | null;
    try {
      now = await to.look(target);
    } catch {
      throw error; // nobody knows
    }
    throw new RoomError(error, leftWords(before, now));
  }
}

function leftWords(before: Facts | null, now: Facts | null): string {
  if (now === null) return "nothing was left under that name";
  const isAsItWas = now.size === before?.size && now.modifiedAtMs === before.modifiedAtMs;
  return isAsItWas ? "what was under that name is as it was" : "what is under that name now may not be whole";
}
