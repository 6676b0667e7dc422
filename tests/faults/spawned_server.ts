import { oursTarget } from "../support/target_ours.ts";
import { type ServerProcess, spawnServer } from "../support/target_process.ts";

/** Our server as a program of its own, so that its memory and its descriptors are its alone. */
export function spawnOurs(flags: string[] = []): Promise<ServerProcess> {
  return spawnServer(oursTarget().command(["--listen", "ws://127.0.0.1:0", ...flags]));
}
