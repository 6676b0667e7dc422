import { EnvironmentError } from "../../lib/environment/environment_error.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { CommandError, EXIT } from "../exit_status.ts";
import { linkHint } from "../place/link_hint.ts";
import { type BytePath, shownPath } from "./byte_path.ts";
import type { Side } from "./side.ts";

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "make room there, or name another place; nothing was left under that name",
  EDQUOT: "make room there, or name another place; nothing was left under that name",
  EACCES: "see who may do that there",
  EPERM: "see who may do that there",
  ENOENT: "see the path, and that the directory it is to be in exists",
  ENOTDIR: "a part of the path is a file",
  EISDIR: "name a file, or give -r for all that is in it",
  EROFS: "name a place that can be written",
  ENAMETOOLONG: "choose a shorter name",
};

/** `:/srv/x` on a server, plain right here. */
export function placed(side: Side, path: BytePath): string {
  return side.name === null ? shownPath(path) : `${side.name}:${shownPath(path)}`;
}

/** What failed, in one line of cause and one of what to do. */
export function fileFailure(doing: string, error: unknown): unknown {
  if (error instanceof CommandError) return error;
  if (error instanceof EnvironmentError || error instanceof FsError && isLinkFailure(error)) {
    const message = error instanceof EnvironmentError ? error.detail : error.message;
    return new CommandError(`${doing}: ${message}`, linkHint(message), EXIT.unknown);
  }
  if (!(error instanceof FsError)) return error;
  return new CommandError(`${doing}: ${error.message}`, HINTS[error.errno ?? ""] ?? null, EXIT.failed);
}

/** The connection broke: nobody could be asked, or nobody heard the answer. */
const LINK_ERRNOS = new Set(["ECONNRESET", "ENOTCONN", "EPROTO"]);

export function isLinkFailure(error: unknown): boolean {
  if (error instanceof FsError) return LINK_ERRNOS.has(error.errno ?? "");
  return error instanceof EnvironmentError;
}

/** What was under way is lost; what is asked next waits for the connection to be repaired. */
export function isPassingLoss(error: unknown): boolean {
  return error instanceof FsError && error.errno === "ECONNRESET";
}
