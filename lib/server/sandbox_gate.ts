import { type BytePath, bytePathOf } from "../sandbox/byte_path.ts";
import { managedStart } from "../sandbox/forward_start.ts";
import { sandboxedStart } from "../sandbox/sandboxed_start.ts";
import type { SandboxedStart } from "../process/local/confinement.ts";
import type { ParamsOf } from "../wire/methods.ts";
import type { StartResult } from "../wire/process_messages.ts";
import { INVALID_PARAMS, WireError } from "../wire/wire_error.ts";
import { nativeDirectory } from "./native_path.ts";
import { type ForeignPaths, intentOf } from "./sandbox_intent.ts";

// What asks for confinement passes here. Weaker than asked is the worst outcome, so everything is refused that nobody
// further down enforces.

const CANNOT = "sandbox intent cannot be enforced on this executor";

type StartParams = Pick<
  ParamsOf<"process/start">,
  "sandbox" | "cwd" | "enforceManagedNetwork" | "managedNetwork" | "networkProxy"
>;

/** What a start is to be confined to, and the word for it. Throws a WireError for what cannot be meant for us. */
export function sandboxOf(
  { sandbox, cwd, enforceManagedNetwork, managedNetwork, networkProxy }: StartParams,
): { sandboxType: StartResult["sandboxType"]; sandboxed: SandboxedStart | null } {
  if (networkProxy !== null) throw refused("network proxy launch is not supported on this executor");
  if (sandbox === null) {
    if (enforceManagedNetwork) throw refused(`${CANNOT}: managed networking needs a sandbox`);
    return { sandboxType: "none", sandboxed: null };
  }
  if (sandbox.windowsSandboxLevel === "mxc") throw refused("native MXC is unavailable on this executor");
  const intent = intentOf(sandbox, directoryOf(cwd), FOREIGN_AT_START);
  if (process.platform !== "linux") {
    if (intent !== null || enforceManagedNetwork) throw refused(CANNOT);
    return { sandboxType: "none", sandboxed: null };
  }
  // So Codex calls it, and asks about denials, also where nothing was restricted.
  const sandboxed = enforceManagedNetwork
    ? managedStart(intent, { loopbackPorts: managedNetwork?.loopbackPorts ?? null })
    : sandboxedStart(intent);
  return { sandboxType: "linuxSeccomp", sandboxed };
}

/** null where the system has no such directory: the start will tell. */
function directoryOf(cwd: string): BytePath | null {
  const directory = Buffer.from(nativeDirectory(cwd));
  return directory.includes(0) ? null : bytePathOf(directory);
}

const FOREIGN_AT_START: ForeignPaths = {
  cwd: (cause) => refused(`failed to prepare process sandbox: invalid sandbox policy cwd: ${cause}`),
  root: (cause) => refused(`failed to prepare process sandbox: invalid sandbox workspace root: ${cause}`),
  entry: (cause) => refused(`failed to prepare process sandbox: invalid sandbox permission path: ${cause}`),
};

function refused(message: string): WireError {
  return new WireError(INVALID_PARAMS, message);
}
