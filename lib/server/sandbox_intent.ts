import { type BytePath, bytePathOf } from "../sandbox/byte_path.ts";
import type { Entry, Intent } from "../sandbox/intent.ts";
import { decodeParams } from "../wire/decode.ts";
import { type FileUri, FileUriError } from "../wire/file_uri.ts";
import {
  placeOf,
  type SandboxContext,
  sandboxContext,
  type SandboxPath,
  type SandboxPermissions,
} from "../wire/sandbox_messages.ts";

/** How a path is refused that is none of this machine; each gets the cause. */
export interface ForeignPaths {
  cwd(cause: string): Error;
  root(cause: string): Error;
  entry(cause: string): Error;
}

/**
 * What a context asks for, in paths of this machine; null where it restricts nothing. `cwd` stands in for a directory that
 * the context does not name.
 */
export function intentOf(
  context: SandboxContext,
  cwd: BytePath | null,
  foreign: ForeignPaths,
): Intent | null {
  const place = placeOf(context);
  // Read even where they are not needed: a context with paths of another machine is not meant for this one.
  const base = place.cwd === null ? cwd : native(place.cwd, foreign.cwd);
  const workspaceRoots = place.workspaceRoots.map((root) => native(root, foreign.root));
  const asked = restrictions(context.permissions, foreign);
  return asked === null ? null : { ...asked, workspaceRoots, cwd: base };
}

/** A permission profile as it stands in a file. Throws what is wrong with it. */
export function readPermissions(profile: unknown): Pick<Intent, "files" | "network"> | null {
  const context = decodeParams(sandboxContext(), { permissions: profile, windowsSandboxLevel: "disabled" });
  return restrictions(context!.permissions, { entry: (cause) => new FileUriError(cause) });
}

function restrictions(
  asked: SandboxPermissions,
  foreign: Pick<ForeignPaths, "entry">,
): Pick<Intent, "files" | "network"> | null {
  if (asked.type === "disabled") return null;
  const { network } = asked;
  if (asked.type === "external" || asked.files.type === "unrestricted") {
    return network === "enabled" ? null : { files: { type: "unrestricted" }, network };
  }
  const { entries, globScanMaxDepth } = asked.files;
  const files = {
    type: "restricted",
    entries: entries.map((entry): Entry => ({ ...entry, path: pathOf(entry.path, foreign) })),
    globScanMaxDepth,
  } as const;
  return { files, network };
}

function pathOf(path: SandboxPath, foreign: Pick<ForeignPaths, "entry">): Entry["path"] {
  switch (path.type) {
    case "path":
      return { kind: "path", path: native(path.path, foreign.entry) };
    case "glob_pattern":
      return { kind: "glob", pattern: bytesOf(path.pattern) };
    case "special": {
      const { kind, subpath } = path;
      return { kind: "special", special: kind, subpath: subpath === null ? null : bytesOf(subpath) };
    }
  }
}

function native(uri: FileUri, refuse: (cause: string) => Error): BytePath {
  const bytes = nativeBytes(uri, refuse);
  // The system has no such path.
  if (bytes.includes(0)) throw refuse(`'${uri.href}' is invalid on 'linux'`);
  return bytePathOf(bytes);
}

function nativeBytes(uri: FileUri, refuse: (cause: string) => Error): Uint8Array {
  try {
    return uri.toPosixBytes();
  } catch (error) {
    if (error instanceof FileUriError) throw refuse(error.message);
    throw error;
  }
}

/** One character for each byte. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}
