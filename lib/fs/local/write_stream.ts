import { writeSync } from "node:fs";
import { osErrorCode } from "../../base/os_error.ts";
import type { GiveUpOptions } from "../file_system.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { asFsError } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Of what is no file, at once. */
const STREAM_BYTES = 64 * 1024;
/** Between two looks whether a full pipe has room again, and for how long at most. */
const FULL_PIPE_MS = 5;
const FULL_PIPE_PATIENCE_MS = 30_000;

/** A device, or a pipe that somebody reads: what it takes, it takes. */
export async function writeStream(
  fd: number,
  bytes: Uint8Array,
  options: GiveUpOptions = {},
): Promise<void> {
  const giveUpAt = performance.now() + FULL_PIPE_PATIENCE_MS;
  for (let done = 0; done < bytes.length;) {
    stopIfGivenUp(options);
    try {
      done += writeSync(fd, bytes, done, Math.min(STREAM_BYTES, bytes.length - done));
      if (turnIsOver()) await nextTurn();
    } catch (error) {
      if (osErrorCode(error) !== "EAGAIN" || performance.now() > giveUpAt) throw asFsError(error);
      await Bun.sleep(FULL_PIPE_MS);
    }
  }
}
