import { isPassingLoss } from "./file_failure.ts";

/** Losses in a row of one question before we think that it will never get through. */
const MAX_LOSSES = 10;

/** Does what changes nothing when it is done twice; again when the connection broke meanwhile. */
export async function again<T>(ask: () => T | Promise<T>): Promise<T> {
  for (let losses = 0;; losses++) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassingLoss(error) || losses === MAX_LOSSES) throw error;
    }
  }
}
