import { closeSync, constants, openSync } from "node:fs";
import { FsError } from "../../lib/fs/fs_error.ts";
import type { Arrival } from "./arrival.ts";
import { carryBlocks, fileBlocks, streamBlocks } from "./blocks.ts";
import { bufferOf, type BytePath, nativePath } from "./byte_path.ts";
import type { CopyView } from "./copy_view.ts";
import { isLinkFailure, isPassingLoss } from "./file_failure.ts";
import { asFsError } from "./here_side.ts";
import type { Facts, Side } from "./side.ts";
import type { Underway } from "./underway.ts";

/** Where the bytes of one file come from. */
export interface Departure {
  /** null where nobody knows before the end. */
  readonly facts: Facts | null;
  /** It can be read from any place in it, and again. */
  readonly canRepeat: boolean;
  blocks(start: number): AsyncIterable<Uint8Array>;
}

/** Losses of one file without a byte in between, before we think that it will never get through. */
const MAX_VAIN_LOSSES = 10;

export function fileDeparture(side: Side, path: BytePath, facts: Facts): Departure {
  return {
    facts,
    canRepeat: true,
    async *blocks(start) {
      if (start > 0) await mustBeTheSame(side, path, facts);
      const file = await side.files.open(nativePath(path), "read");
      try {
        yield* fileBlocks(file, start, facts.size);
        await mustBeTheSame(side, path, facts);
      } finally {
        await file.close();
      }
    },
  };
}

/** What is no file: a pipe, a device, our stdin. */
export function streamDeparture(path: BytePath | null): Departure {
  return {
    facts: null,
    canRepeat: false,
    async *blocks() {
      if (path === null) return yield* streamBlocks(0);
      const fd = openToRead(path);
      try {
        yield* streamBlocks(fd);
      } finally {
        closeSync(fd);
      }
    },
  };
}

function openToRead(path: BytePath): number {
  try {
    return openSync(bufferOf(path), constants.O_RDONLY | constants.O_NOCTTY);
  } catch (error) {
    throw asFsError(error);
  }
}

/** Some blocks of one content and some of another would be neither. */
async function mustBeTheSame(side: Side, path: BytePath, before: Facts): Promise<void> {
  const now = await side.look(path);
  if (now?.size === before.size && now.modifiedAtMs === before.modifiedAtMs) return;
  throw new FsError("refused", "it changed while it was copied");
}

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
          begun = await arrival.begin();
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

/** What went wrong before matters more than that it cannot be tidied up. */
async function leave(arrival: Arrival, keep: boolean, view: CopyView): Promise<void> {
  try {
    const kept = await arrival.abandon(keep);
    if (kept !== null) view.kept(kept);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
  }
}
