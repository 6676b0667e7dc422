import * as z from "zod/mini";
import type { FileUri } from "./file_uri.ts";
import { invalidType } from "./invalid_type.ts";
import { flag, later, nullable, optional, struct, text, unchecked, variants } from "./message_fields.ts";
import { listOf } from "./message_list.ts";
import { pathUri } from "./path_uri.ts";
import { tagged } from "./tagged_fields.ts";

export type SandboxAccess = "read" | "write" | "deny";
export type SandboxNetwork = "restricted" | "enabled";

export type SandboxPath =
  | { readonly type: "path"; readonly path: FileUri }
  | { readonly type: "glob_pattern"; readonly pattern: string }
  | {
    readonly type: "special";
    readonly kind: "root" | "minimal" | "project_roots" | "tmpdir" | "slash_tmp" | "unknown";
    /** As it was sent. With `project_roots` only. */
    readonly subpath: string | null;
  };

export interface SandboxEntry {
  readonly path: SandboxPath;
  readonly access: SandboxAccess;
  readonly skipIfMissing: boolean;
}

export type SandboxFiles =
  | {
    readonly type: "restricted";
    readonly entries: readonly SandboxEntry[];
    readonly globScanMaxDepth: number | null;
  }
  | { readonly type: "unrestricted" };

export type SandboxPermissions =
  | { readonly type: "managed"; readonly files: SandboxFiles; readonly network: SandboxNetwork }
  | { readonly type: "disabled" }
  /** Somebody else sees to the files. */
  | { readonly type: "external"; readonly network: SandboxNetwork };

/** What the sandbox of a call is to allow. Paths may be those of another kind of machine. */
export type SandboxContext = NonNullable<z.output<ReturnType<typeof sandboxContext>>>;

/** The field `sandbox` of a call. null asks for no confinement at all. */
export const sandboxContext = later(() =>
  nullable(
    struct("WireFileSystemSandboxContext", {
      permissions: permissions(),
      policyContext: nullable(struct("WireFileSystemPolicyContext", {
        cwd: nullable(pathUri()),
        workspaceRoots: optional(listOf(pathUri()), []),
      })),
      cwd: nullable(pathUri()),
      workspaceRoots: optional(listOf(pathUri()), []),
      userHomeDir: nullable(pathUri()),
      temporaryDirectories: nullable(listOf(pathUri())),
      windowsSandboxLevel: variants("disabled", "restricted-token", "elevated", "mxc"),
      windowsSandboxPrivateDesktop: unchecked(),
      windowsSandboxProxySettingsMode: nullable(variants("reconcile", "preserve")),
      useLegacyLandlock: optional(flag(), false),
    }),
  )
);

/** Where the work is done. With a policy of its own the roots are the policy's, even if it has none. */
export function placeOf(
  { policyContext, cwd, workspaceRoots }: Pick<SandboxContext, "policyContext" | "cwd" | "workspaceRoots">,
): { readonly cwd: FileUri | null; readonly workspaceRoots: readonly FileUri[] } {
  if (policyContext === null) return { cwd, workspaceRoots };
  return { cwd: policyContext.cwd ?? cwd, workspaceRoots: policyContext.workspaceRoots };
}

const permissions = () =>
  tagged("ExecPermissionProfile", "type", {
    managed: z.pipe(
      struct("ExecPermissionProfile", { file_system: files(), network: network() }),
      z.transform((read): SandboxPermissions => ({
        type: "managed",
        files: read.file_system,
        network: read.network,
      })),
    ),
    disabled: z.pipe(
      struct("ExecPermissionProfile", {}),
      z.transform((): SandboxPermissions => ({ type: "disabled" })),
    ),
    external: z.pipe(
      struct("ExecPermissionProfile", { network: network() }),
      z.transform((read): SandboxPermissions => ({ type: "external", network: read.network })),
    ),
  });

const network = () => variants("restricted", "enabled");

const files = () =>
  tagged("ExecManagedFileSystemPermissions", "type", {
    restricted: z.pipe(
      struct("ExecManagedFileSystemPermissions", {
        entries: listOf(entry()),
        glob_scan_max_depth: nullable(nonZero()),
      }),
      z.transform((read): SandboxFiles => ({
        type: "restricted",
        entries: read.entries,
        globScanMaxDepth: read.glob_scan_max_depth,
      })),
    ),
    unrestricted: z.pipe(
      struct("ExecManagedFileSystemPermissions", {}),
      z.transform((): SandboxFiles => ({ type: "unrestricted" })),
    ),
  });

const entry = () =>
  z.pipe(
    struct("ExecFileSystemSandboxEntry", {
      path: path(),
      access: variants("read", "write", "deny", "none"),
      missing_path_behavior: nullable(variants("skip")),
    }),
    z.transform((read): SandboxEntry => ({
      path: read.path,
      access: read.access === "none" ? "deny" : read.access,
      skipIfMissing: read.missing_path_behavior === "skip",
    })),
  );

const path = () =>
  tagged("ExecFileSystemPath", "type", {
    path: z.pipe(
      struct("ExecFileSystemPath", { path: pathUri() }),
      z.transform((read): SandboxPath => ({ type: "path", path: read.path })),
    ),
    glob_pattern: z.pipe(
      struct("ExecFileSystemPath", { pattern: text() }),
      z.transform((read): SandboxPath => ({ type: "glob_pattern", pattern: read.pattern })),
    ),
    special: z.pipe(
      struct("ExecFileSystemPath", { value: specialPath() }),
      z.transform((read): SandboxPath => read.value),
    ),
  });

const specialPath = () =>
  tagged("FileSystemSpecialPath", "kind", {
    root: special("root", {}),
    minimal: special("minimal", {}),
    current_working_directory: special("project_roots", { subpath: nullable(text()) }),
    project_roots: special("project_roots", { subpath: nullable(text()) }),
    tmpdir: special("tmpdir", {}),
    slash_tmp: special("slash_tmp", {}),
    // What a newer client means and cannot say to an older server.
    unknown: special("unknown", { path: text(), subpath: nullable(text()) }),
  });

function special(
  kind: Extract<SandboxPath, { type: "special" }>["kind"],
  shape: Readonly<Record<string, z.ZodMiniType>>,
) {
  return z.pipe(
    struct("FileSystemSpecialPath", shape),
    z.transform((read): SandboxPath => {
      const subpath = kind === "project_roots" && typeof read["subpath"] === "string"
        ? read["subpath"]
        : null;
      return { type: "special", kind, subpath };
    }),
  );
}

function nonZero() {
  return z.custom<number>((value) => Number.isInteger(value) && Number(value) > 0, {
    error: ({ input }) =>
      Number.isInteger(input)
        ? `invalid value: integer \`${input}\`, expected a nonzero usize`
        : invalidType(input, "a nonzero usize"),
  });
}
