import { FsError } from "../../lib/fs/fs_error.ts";
import type { Arrival } from "./arrival.ts";
import { carryBlocks } from "./blocks.ts";
import type { CopyView } from "./copy_view.ts";
import type { Departure } from "./departure.ts";
import { isLinkFailure, isPassingLoss } from "./file_failure.ts";
import type { Underway } from "./underway.ts";

/** Losses of one file without a byte in between, before we think that it will never get through. */
const MAX_VAIN_LOSSES = 10;

export interface CopyTools {
  readonly view: CopyView;
  readonly underway: Underway;
}

/**
 * Copies one file. When the connection breaks, the next call waits until it is repaired: then it goes on where it was,
 * or starts again where the place cannot go on, and the user is told. Nothing is at its place before it is whole.
 */
export async function copyOne(departure: Departure, arrival: Arrival, tools: CopyTools): Promise<void> {
  const { view, underway } = tools;
  await underway.enter(arrival);
  let counted = 0;
  let most = 0;
  const count = (bytes: number) => {
    counted += bytes;
    view.carried(bytes);
  };
  let begun: number | "whole" | null = null;
  try {
    for (let vain = 0;;) {
      try {
        if (begun === null) {
          begun = await beginWith(departure, arrival);
          if (begun !== "whole") {
            view.skipped(begun - counted, begun);
            counted = begun;
          }
        }
        if (begun !== "whole") await carryBlocks(departure.blocks(counted), arrival, counted, count);
        await arrival.finish(counted, departure.facts);
        return view.fileDone();
      } catch (error) {
        const isVain = arrival.afterLoss === "startsAgain" || counted <= most;
        vain = isVain ? vain + 1 : 0;
        most = Math.max(most, counted);
        if (!isPassingLoss(error) || !departure.canRepeat || vain > MAX_VAIN_LOSSES) throw error;
        if (arrival.afterLoss !== "stays") begun = null;
        if (arrival.afterLoss === "startsAgain") view.startsAgain();
      }
    }
  } catch (error) {
    await underway.unlessLeaving();
    await leave(arrival, isLinkFailure(error), view);
    throw error;
  } finally {
    underway.leave(arrival);
  }
}

/** What was kept from an earlier run is gone on with only where it is the beginning of what comes. */
async function beginWith(departure: Departure, arrival: Arrival): Promise<number | "whole"> {
  const begun = await arrival.begin();
  if (begun === "whole" || begun === 0 || arrival.kept === null) return begun;
  if (await departure.mayBegin(arrival.kept, begun)) return begun;
  await arrival.kept.disown();
  return await arrival.begin();
}

/** What went wrong before matters more than that it cannot be tidied up. */
async function leave(arrival: Arrival, keep: boolean, view: CopyView): Promise<void> {
  try {
    const kept = await arrival.abandon(keep);
    if (kept !== null) view.kept(kept);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
  }
}
