import { homedir } from "node:os";
import { join, resolve } from "@std/path";
import { osErrorWords } from "../lib/base/os_error.ts";
import type { ServerSpools } from "../lib/server/spools.ts";
import { parseByteSize } from "./byte_size.ts";
import type { Flags } from "./command.ts";
import { CommandError, EXIT, usageError } from "./exit_status.ts";

/** Gets the spools ready; null is without. */
export type OpenSpools = () => Promise<ServerSpools | null>;

/** Where output goes that memory does not hold, by the flags; a place that a person named is tried at once. */
export async function spoolsByFlags(flags: Flags): Promise<OpenSpools> {
  const maxBytes = size(flags, "spool-max");
  const named = flags.text("spool-dir");
  if (named === "") throw usageError("option --spool-dir takes a directory", "serve");
  if (maxBytes === 0) return () => Promise.resolve(null);
  const root = resolve(named ?? usualPlace());
  const open = async () => {
    const { openSpools, SPOOL_MAX_BYTES } = await import("../lib/server/spools.ts");
    const warn = (message: string) => void process.stderr.write(`Warning: ${message}\n`);
    return await openSpools({
      root,
      isNamed: named !== undefined,
      maxBytes: maxBytes ?? SPOOL_MAX_BYTES,
      warn,
    });
  };
  if (named === undefined) return open;
  try {
    const opened = await open();
    return () => Promise.resolve(opened);
  } catch (error) {
    throw new CommandError(
      `Cannot use ${root} for the spool: ${osErrorWords(error)}`,
      "name another --spool-dir, or use --spool-max 0 to do without",
      EXIT.failed,
    );
  }
}

function usualPlace(): string {
  const state = process.env["XDG_STATE_HOME"];
  // A relative one is to be ignored, says who made it up.
  const base = state?.startsWith("/") ? state : join(homedir(), ".local", "state");
  return join(base, "exec-server", "spool");
}

function size(flags: Flags, name: string): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const bytes = parseByteSize(text);
  if (bytes === null) {
    throw usageError(`option --${name} takes a size such as 512MiB or 1GiB, not "${text}"`, "serve");
  }
  return bytes;
}
