import type { BytePath } from "./byte_path.ts";

export type Access = "read" | "write" | "deny";

export type SpecialPath = "root" | "minimal" | "project_roots" | "tmpdir" | "slash_tmp" | "unknown";

export type EntryPath =
  | { readonly kind: "path"; readonly path: BytePath }
  /** One character for each byte of its UTF-8. May begin with PROJECT_ROOTS_PREFIX. */
  | { readonly kind: "glob"; readonly pattern: string }
  /** `subpath` is as it was sent, one character a byte, and has a meaning for `project_roots` only. */
  | { readonly kind: "special"; readonly special: SpecialPath; readonly subpath: string | null };

export interface Entry {
  readonly path: EntryPath;
  readonly access: Access;
  /** What is not there is no reason to refuse. It may not be made all the same, where that can be enforced. */
  readonly skipIfMissing: boolean;
}

/**
 * What a client asked for, as paths of this machine. Who asks for nothing is never here: `disabled`, and
 * `external` with an open network. `external` with a restricted one has unrestricted files.
 */
export interface Intent {
  readonly files:
    | { readonly type: "unrestricted" }
    | {
      readonly type: "restricted";
      readonly entries: readonly Entry[];
      readonly globScanMaxDepth: number | null;
    };
  readonly network: "restricted" | "enabled";
  readonly workspaceRoots: readonly BytePath[];
  /** What a relative glob is relative to. */
  readonly cwd: BytePath | null;
}

/** What a glob begins with that is meant below every workspace root. */
export const PROJECT_ROOTS_PREFIX = "codex-project-roots://";

/** Whether what was asked depends on where the work is done. For files such an intent must come with a cwd. */
export function dependsOnPlace(intent: Intent): boolean {
  return intent.files.type === "restricted" && intent.files.entries.some(({ path }) => {
    if (path.kind === "glob") return !path.pattern.startsWith("/");
    return path.kind === "special" && path.special === "project_roots";
  });
}
