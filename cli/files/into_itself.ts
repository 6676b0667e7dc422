import { CommandError, EXIT } from "../exit_status.ts";
import { type BytePath, isAtOrBelow, parentOf, shownPath } from "./byte_path.ts";
import { isSameFile, realPath } from "./same_file.ts";
import type { Side } from "./side.ts";

/** A directory that is copied into itself would never end. `top` is its real path. */
export async function refuseIntoItself(from: Side, top: BytePath, to: Side, target: BytePath): Promise<void> {
  const topFacts = await from.look(top);
  // What is not there yet is made below what is: one of those may be the source.
  for (let place = target;; place = parentOf(place)) {
    const facts = await to.look(place);
    if (facts === null && place !== "/") continue;
    const real = await realPath({ side: to, path: place });
    if (facts === null || real === null || topFacts === null) return;
    if (from === to ? isAtOrBelow(real, top) : await isAcross({ from, top, to, place: real })) {
      throw new CommandError(
        `cannot copy ${shownPath(top)} into itself, to ${shownPath(target)}`,
        "choose a destination outside of it",
        EXIT.failed,
      );
    }
    return;
  }
}

interface Across {
  readonly from: Side;
  readonly top: BytePath;
  readonly to: Side;
  readonly place: BytePath;
}

/** A server may be on this machine, and have the same directories. */
async function isAcross({ from, top, to, place }: Across): Promise<boolean> {
  if (!isAtOrBelow(place, top)) return false;
  const [one, other] = [await from.look(top), await to.look(top)];
  if (one === null || other === null) return false;
  return await isSameFile({ side: from, path: top, facts: one }, { side: to, path: top, facts: other });
}
