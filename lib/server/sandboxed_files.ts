import type { FileSystem, OpenFile, Soon } from "../fs/file_system.ts";
import { systemError } from "../fs/fs_error.ts";
import { localFileSystem } from "../fs/local/local_file_system.ts";
import { dependsOnPlace, type Intent } from "../sandbox/intent.ts";
import { resolveRules } from "../sandbox/policy.ts";
import type { Rules } from "../sandbox/rules.ts";
import { UnenforceableError } from "../sandbox/unenforceable.ts";
import type { SandboxContext } from "../wire/sandbox_messages.ts";
import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { type ForeignPaths, intentOf } from "./sandbox_intent.ts";
import type { ViewedFiles } from "./viewed_files.ts";

/** The files that a call may see and change. */
export interface Reach {
  /** Does something with them; what is opened meanwhile stays open. Fails with a WireError where nobody can confine it. */
  use<T>(act: (files: FileSystem) => Soon<T>): Soon<T>;
}

const EVERYTHING: Reach = { use: (act) => act(localFileSystem) };

/** What a context lets a call reach that reads, or changes something. Throws a WireError for what is not meant for us. */
export function filesFor(sandbox: SandboxContext | null, what: "reads" | "changes"): Reach {
  const intent = sandbox === null ? null : filesIntent(sandbox);
  if (intent === null) return EVERYTHING;
  if (what === "reads" && mayReadEverything(intent)) return { use: (act) => act(onlyRead) };
  return {
    use(act) {
      try {
        const done = useConfined(intent, what, act);
        return done instanceof Promise ? done.catch(refuseUnenforceable) : done;
      } catch (error) {
        return refuseUnenforceable(error);
      }
    },
  };
}

/** null where no file is restricted: the network is not touched by a call on them. */
function filesIntent(sandbox: SandboxContext): Intent | null {
  if (sandbox.permissions.type === "disabled") return null;
  if (sandbox.windowsSandboxLevel === "mxc") {
    const cause = "failed to prepare MXC sandbox: native MXC is unavailable on this executor";
    throw new WireError(INVALID_REQUEST, `failed to prepare fs sandbox: ${cause}`);
  }
  const intent = intentOf(sandbox, null, FOREIGN);
  if (intent === null || intent.files.type === "unrestricted") return null;
  if (intent.cwd === null && dependsOnPlace(intent)) {
    throw new WireError(
      INVALID_PARAMS,
      "file system sandbox context with dynamic permissions requires cwd",
    );
  }
  return intent;
}

const FOREIGN: ForeignPaths = {
  cwd: (cause) => new WireError(INVALID_REQUEST, cause),
  root: (cause) =>
    new WireError(
      INVALID_REQUEST,
      `file system sandbox workspace root is not native to this exec-server host: ${cause}`,
    ),
  entry: (cause) => new WireError(INVALID_REQUEST, `invalid sandbox permission path URI: ${cause}`),
};

/** Told by what was asked alone; where it depends on the disk, the rules tell. */
function mayReadEverything({ files }: Intent): boolean {
  return files.type === "restricted" &&
    files.entries.every(({ access }) => access !== "deny") &&
    files.entries.some(({ path, access }) =>
      path.kind === "special" && path.special === "root" && access === "read"
    );
}

let viewed: ViewedFiles | null = null;

function useConfined<T>(
  intent: Intent,
  what: "reads" | "changes",
  act: (files: FileSystem) => Soon<T>,
): Soon<T> {
  if (process.platform !== "linux") throw new UnenforceableError("only Linux has what it takes");
  const { TMPDIR } = process.env;
  const rules = resolveRules(withMinimal(intent), TMPDIR === undefined ? {} : { TMPDIR }, "recent");
  if (rules instanceof Promise) return rules.then((found) => useUnder(found, what, act));
  return useUnder(rules, what, act);
}

function useUnder<T>(
  rules: Rules,
  what: "reads" | "changes",
  act: (files: FileSystem) => Soon<T>,
): Soon<T> {
  if (rules.whole.write) return act(localFileSystem);
  if (what === "reads" && rules.whole.read) return act(onlyRead);
  // Most servers never need it.
  if (viewed === null) return loadViewed().then((loaded) => loaded.use(rules, act));
  return viewed.use(rules, act);
}

async function loadViewed(): Promise<ViewedFiles> {
  const { openViewedFiles } = await import("./viewed_files.ts");
  return (viewed ??= await openViewedFiles());
}

/** Nothing of them is to be seen on the host any more. Whoever asks again gets them again. */
export function closeConfinedFiles(): void {
  viewed?.close();
}

/** What every program needs may be looked at by every call. */
function withMinimal(intent: Intent): Intent {
  if (intent.files.type === "unrestricted") return intent;
  const path = { kind: "special", special: "minimal", subpath: null } as const;
  const entries = [...intent.files.entries, { path, access: "read", skipIfMissing: false } as const];
  return { ...intent, files: { ...intent.files, entries } };
}

/** Whoever may read everything is not kept from anything, but must not change by way of what was opened to be read. */
const onlyRead: FileSystem = {
  ...localFileSystem,
  open(path, mode, options) {
    const opened = localFileSystem.open(path, mode, options);
    return opened instanceof Promise ? opened.then(readingOnly) : readingOnly(opened);
  },
};

function readingOnly(file: OpenFile): OpenFile {
  return {
    size: file.size,
    read: (offset, length) => file.read(offset, length),
    write: (offset, bytes) => file.write(offset, bytes),
    setAttributes() {
      throw systemError("EROFS");
    },
    close: () => file.close(),
  };
}

function refuseUnenforceable(error: unknown): never {
  if (!(error instanceof UnenforceableError)) throw error;
  throw new WireError(
    INVALID_PARAMS,
    `sandbox intent cannot be enforced on this executor: ${error.message}`,
  );
}
