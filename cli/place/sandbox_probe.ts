import type { Environment } from "../../lib/environment/environment.ts";
import { runCommand } from "../../lib/environment/run_command.ts";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import type { Intent, SpecialPath } from "../../lib/sandbox/intent.ts";

/** A place where this takes longer is of no use to anybody. */
const LONGEST_MS = 15_000;

/** What commands can be kept from there. */
export interface SandboxProbe {
  readonly holds: "files and network" | "network only" | "nothing";
  /** How, where that is known: of this machine only. */
  readonly how: string | null;
  /** What fails; null where all holds. */
  readonly failing: string | null;
  /** Why files and network hold, but not where only what every program needs may be read; null where that holds too. */
  readonly failingMinimal: string | null;
}

/** How each server begins to say so; only the rest tells something. */
const REFUSAL = "sandbox intent cannot be enforced on this executor: ";

const ROOT = bytePathOf("/");
const NETWORK_ONLY: Intent = {
  files: { type: "unrestricted" },
  network: "restricted",
  workspaceRoots: [],
  cwd: ROOT,
};
const READ_ONLY = reading("root");
const MINIMAL = reading("minimal");

/** Finds out by running a command there that does nothing. */
export async function probeSandbox(environment: Environment): Promise<SandboxProbe> {
  const failing = await failureUnder(environment, READ_ONLY);
  const how = environment.isRemote ? null : await mechanismHere();
  if (failing === null) {
    const failingMinimal = await failureUnder(environment, MINIMAL);
    return { holds: "files and network", how, failing, failingMinimal };
  }
  const holds = await failureUnder(environment, NETWORK_ONLY) === null ? "network only" : "nothing";
  return { holds, how, failing, failingMinimal: null };
}

/** One line of it. */
export function shownProbe({ holds, how, failing, failingMinimal }: SandboxProbe): string {
  const whole = `holds ${holds}${how === null ? "" : ` (${how})`}`;
  if (failing !== null) return `${whole}: ${failing}`;
  return failingMinimal === null ? whole : `${whole}, but not profiles with minimal reads: ${failingMinimal}`;
}

function reading(special: SpecialPath): Intent {
  const path = { kind: "special", special, subpath: null } as const;
  const entries = [{ path, access: "read", skipIfMissing: false }] as const;
  return { ...NETWORK_ONLY, files: { type: "restricted", entries, globScanMaxDepth: null } };
}

/** null where a command ran and came to a good end. */
async function failureUnder(environment: Environment, sandbox: Intent): Promise<string | null> {
  try {
    const { exitCode, stderr } = await runCommand(environment, ["/bin/sh", "-c", ":"], {
      cwd: "/",
      sandbox,
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    // A plain Codex server starts it, and only then finds out that it cannot be confined.
    return exitCode === 0 ? null : `ended with ${exitCode}: ${lastLine(stderr)}`;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.replace(REFUSAL, "");
  }
}

/** By what commands are confined here; null where by nothing. */
async function mechanismHere(): Promise<string | null> {
  const { sandboxSupport } = await import("../../lib/sandbox/sandboxed_start.ts");
  return (await sandboxSupport()).tier;
}

function lastLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim().split("\n").at(-1)!;
}
