import type { GiveUpOptions } from "../file_system.ts";
import { FsError } from "../fs_error.ts";

/** To be asked at every step of what may take long. Throws FsError once nobody waits for it any more. */
export function stopIfGivenUp({ givenUp }: GiveUpOptions): void {
  if (givenUp?.aborted) throw new FsError("refused", "given up: nobody waits for it any more");
}
