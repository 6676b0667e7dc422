import { fileUriFromPath } from "../wire/file_uri.ts";

/**
 * What a command is to be confined to, there. Paths are texts with one character for each of their bytes. `lib/sandbox`
 * says the same of this machine, and its intents fit here.
 */
export interface AskedSandbox {
  readonly files:
    | { readonly type: "unrestricted" }
    | {
      readonly type: "restricted";
      readonly entries: readonly AskedEntry[];
      readonly globScanMaxDepth: number | null;
    };
  readonly network: "restricted" | "enabled";
  readonly workspaceRoots: readonly string[];
  readonly cwd: string | null;
}

export interface AskedEntry {
  readonly path:
    | { readonly kind: "path"; readonly path: string }
    | { readonly kind: "glob"; readonly pattern: string }
    | { readonly kind: "special"; readonly special: string; readonly subpath: string | null };
  readonly access: "read" | "write" | "deny";
  readonly skipIfMissing: boolean;
}

/** The same as the wire has it. Throws a FileUriError for a path that has no URI. */
export function sandboxContext({ files, network, workspaceRoots, cwd }: AskedSandbox): object {
  return {
    permissions: { type: "managed", file_system: fileSystem(files), network },
    ...(cwd === null ? {} : { cwd: uriOf(cwd) }),
    workspaceRoots: workspaceRoots.map(uriOf),
    // Of no effect but on Windows, and yet asked for everywhere.
    windowsSandboxLevel: "disabled",
    windowsSandboxProxySettingsMode: "reconcile",
    useLegacyLandlock: false,
  };
}

function fileSystem(files: AskedSandbox["files"]): object {
  if (files.type === "unrestricted") return { type: "unrestricted" };
  const { entries, globScanMaxDepth } = files;
  return {
    type: "restricted",
    entries: entries.map(({ path, access, skipIfMissing }) => ({
      path: pathInWords(path),
      access,
      ...(skipIfMissing ? { missing_path_behavior: "skip" } : {}),
    })),
    ...(globScanMaxDepth === null ? {} : { glob_scan_max_depth: globScanMaxDepth }),
  };
}

function pathInWords(path: AskedEntry["path"]): object {
  switch (path.kind) {
    case "path":
      return { type: "path", path: uriOf(path.path) };
    case "glob":
      return { type: "glob_pattern", pattern: textOf(path.pattern) };
    case "special": {
      const subpath = path.subpath === null ? {} : { subpath: textOf(path.subpath) };
      return { type: "special", value: { kind: path.special, ...subpath } };
    }
  }
}

function uriOf(path: string): string {
  return fileUriFromPath(Buffer.from(path, "latin1")).href;
}

function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
