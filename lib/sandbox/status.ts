import { closeSync } from "node:fs";
import { constants } from "node:os";
import { osErrorText } from "../base/os_error.ts";
import type { Plan } from "./plan.ts";
import { LISTENING } from "./plan_network.ts";

/**
 * A start that did not come about. "program" and "cwd": not to be had inside, as it might be without a sandbox.
 * "setup": the sandbox could not be built; the program was never run.
 */
export class SandboxStartError extends Error {
  override readonly name = "SandboxStartError";

  constructor(readonly kind: "program" | "cwd" | "setup", readonly errno: string, readonly what: string) {
    super(`${what}: ${osErrorText(errno)}`);
  }
}

const REPORT_BYTES = 8;

/**
 * Waits for the word of the helper, and closes the descriptor. Silence to the end is good: the pipe closed as the
 * program took the helper's place. (It also closes when somebody kills the helper; the exit tells that.) `listening` is
 * called where the helper says that it listens, and waits for us.
 */
export async function awaitStart(
  fd: number,
  explain: Plan["explain"],
  listening: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const reader = Bun.file(fd).stream().getReader();
  const first = reader.read();
  closeSync(fd); // the stream reads from a descriptor of its own once its first read has begun
  const report = new Uint8Array(REPORT_BYTES);
  let length = 0;
  for (let next = await first; !next.done && length < REPORT_BYTES; next = await reader.read()) {
    if (length === 0 && Buffer.from(next.value).toString() === LISTENING) {
      await listening().catch(async (error) => {
        await reader.cancel();
        throw error;
      });
      continue;
    }
    const piece = next.value.subarray(0, REPORT_BYTES - length);
    report.set(piece, length);
    length += piece.length;
  }
  if (length === 0) return;
  await reader.cancel();
  const view = new DataView(report.buffer);
  const { kind, what } = explain(view.getUint32(4, true));
  throw new SandboxStartError(kind, errnoName(view.getUint32(0, true)), what);
}

function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
}
