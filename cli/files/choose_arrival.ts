import type { Arrival, ArrivalOptions } from "./arrival.ts";
import { SMALL_FILE_BYTES } from "./blocks.ts";
import { CodexArrival } from "./codex_arrival.ts";
import { placed, Refusal } from "./file_failure.ts";
import { PartArrival } from "./part_arrival.ts";
import type { Side } from "./side.ts";
import { SmallArrival } from "./small_arrival.ts";
import { openToWrite, StreamArrival } from "./stream_arrival.ts";

/** How a file comes to a place, by what stands there and by what can be done there. */
export function arrivalAt(side: Side, options: ArrivalOptions): Arrival {
  if (options.existing?.kind === "other") {
    if (side.name === null) return new StreamArrival(() => openToWrite(options.path));
    throw new Refusal(
      `${placed(side, options.path)} is neither a file nor a directory`,
      "let a command write it there: `exec-server run -- tee PATH`",
    );
  }
  if (side.isBeyondCodex) return new PartArrival(side, options);
  const isSmall = options.source !== null && options.source.size <= SMALL_FILE_BYTES;
  return isSmall ? new SmallArrival(side, options) : new CodexArrival(side, options);
}
