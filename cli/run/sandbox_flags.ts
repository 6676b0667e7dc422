import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join, normalize } from "@std/path";
import { osErrorWords } from "../../lib/base/os_error.ts";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import type { Entry, Intent, SpecialPath } from "../../lib/sandbox/intent.ts";
import { PROTECTED_NAMES } from "../../lib/sandbox/protected_names.ts";
import { CommandError, EXIT, usageError } from "../exit_status.ts";
import type { Flags } from "../command.ts";

/** What the command is to be confined to, before it is known where it works. */
export interface SandboxPlan {
  readonly files: Intent["files"];
  readonly network: Intent["network"];
  /** Directories that may be written too, as they were given. */
  readonly writable: readonly string[];
}

/** null: nobody asked for it. Throws a CommandError rather than take less than was asked for. */
export async function readSandboxFlags(flags: Flags): Promise<SandboxPlan | null> {
  const base = flags.text("sandbox");
  const network = networkOf(flags);
  const writable = flags.texts("writable");
  if (writable.includes("")) throw usageError("option --writable needs a directory", "run");
  if (base === undefined) {
    if (writable.length > 0) {
      throw usageError("--writable says what a sandbox lets through: give --sandbox too", "run");
    }
    return network === "restricted" ? { files: { type: "unrestricted" }, network, writable } : null;
  }
  const profile = await profileOf(base);
  if (profile === null) {
    if (network === null && writable.length === 0) return null;
    throw usageError(
      `${base} restricts nothing, so --network and --writable cannot narrow or widen it`,
      "run",
    );
  }
  if (profile.files.type === "unrestricted" && writable.length > 0) {
    throw usageError(`--writable adds nothing: ${base} lets every file be written`, "run");
  }
  return { files: profile.files, network: network ?? profile.network, writable };
}

/**
 * The same for a command that works in this directory, there. Throws a CommandError for what is most likely a slip: it
 * would let through nothing, or everything.
 */
export function intentIn(
  directory: string,
  { files, network, writable }: SandboxPlan,
  { isRemote }: { readonly isRemote: boolean },
): Intent {
  const paths = writable.map((given) => isAbsolute(given) ? given : join(directory, given));
  // Of another machine nobody knows without asking, and what is not there lets through nothing.
  const missing = isRemote ? undefined : paths.find((path) => !existsSync(path));
  if (missing !== undefined) {
    const cause = `there is no ${missing} that could be written`;
    throw new CommandError(cause, "make it first, or correct --writable", EXIT.notStarted);
  }
  if (isRoot(directory) && !paths.some(isRoot) && opensDirectory(files)) {
    const cause = "the sandbox would let everything be written, as the working directory is /";
    throw new CommandError(cause, "choose one with -w DIR, or mean it with --writable /", EXIT.notStarted);
  }
  const more = paths.map((path) => bytePathOf(path));
  const cwd = bytePathOf(directory);
  return {
    files: files.type === "unrestricted" || more.length === 0 ? files : {
      ...files,
      entries: [
        ...files.entries,
        ...more.map((path): Entry => ({
          path: { kind: "path", path },
          access: "write",
          skipIfMissing: false,
        })),
      ],
    },
    network,
    workspaceRoots: [cwd, ...more],
    cwd,
  };
}

function isRoot(path: string): boolean {
  return /^\/*$/.test(normalize(path));
}

/** Whether all of the working directory may be written. */
function opensDirectory(files: Intent["files"]): boolean {
  return files.type === "restricted" &&
    files.entries.some(({ path, access }) =>
      access === "write" && path.kind === "special" && path.special === "project_roots" &&
      path.subpath === null
    );
}

function networkOf(flags: Flags): Intent["network"] | null {
  const text = flags.text("network");
  if (text === undefined) return null;
  if (text === "on") return "enabled";
  if (text === "off") return "restricted";
  throw usageError(`option --network takes on or off, not "${text}"`, "run");
}

type Profile = Pick<Intent, "files" | "network">;

async function profileOf(base: string): Promise<Profile | null> {
  const root = special("root", "read");
  if (base === "read-only") return restricted([root]);
  if (base === "workspace-write") {
    return restricted([
      root,
      special("project_roots", "write"),
      special("slash_tmp", "write"),
      special("tmpdir", "write"),
      ...PROTECTED_NAMES.map((name) => special("project_roots", "read", name)),
    ]);
  }
  if (base.includes("/") || base.endsWith(".json")) return await profileIn(base);
  throw usageError(
    `option --sandbox takes read-only, workspace-write or a file such as ./PROFILE.json, not "${base}"`,
    "run",
  );
}

function restricted(entries: readonly Entry[]): Profile {
  return { files: { type: "restricted", entries, globScanMaxDepth: null }, network: "restricted" };
}

function special(kind: SpecialPath, access: Entry["access"], subpath: string | null = null): Entry {
  return { path: { kind: "special", special: kind, subpath }, access, skipIfMissing: subpath !== null };
}

/** The permissions of a Codex profile, as its wire has them. null where they restrict nothing. */
async function profileIn(file: string): Promise<Profile | null> {
  const hint = 'it is JSON such as {"type":"managed","file_system":{…},"network":"restricted"}';
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const cause = `cannot read the sandbox profile ${file}: ${osErrorWords(error)}`;
    throw new CommandError(cause, hint, EXIT.notStarted);
  }
  // Loaded only here: few runs read one.
  const { readPermissions } = await import("../../lib/server/sandbox_intent.ts");
  try {
    return readPermissions(JSON.parse(text));
  } catch (error) {
    const cause = `the sandbox profile ${file} makes no sense: ${
      error instanceof Error ? error.message : String(error)
    }`;
    throw new CommandError(cause, hint, EXIT.notStarted);
  }
}
