import { EnvironmentError } from "../../lib/environment/environment_error.ts";
import type { Soon } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { CommandError, EXIT } from "../exit_status.ts";
import { linkHint } from "../place/link_hint.ts";
import { type BytePath, shownPath } from "./byte_path.ts";
import type { Side } from "./side.ts";

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "make room there, or name another place",
  EDQUOT: "make room there, or name another place",
  EACCES: "see who may do that there",
  EPERM: "see who may do that there",
  ENOENT: "see the path, and that the directory it is to be in exists",
  ENOTDIR: "a part of the path is a file",
  EISDIR: "name a file, or give -r for all that is in it",
  EROFS: "name a place that can be written",
  EXDEV: "it is on another disk: copy it with `exec-server cp`, then remove it",
  ENAMETOOLONG: "choose a shorter name",
};

/** Of pipes and devices there: the wire has no word for reading them. */
export const READ_BY_COMMAND = "let a command read it there: `exec-server run -- cat PATH`";

/** `:/srv/x` on a server, plain right here. */
export function placed(side: Side, path: BytePath): string {
  return side.name === null ? shownPath(path) : `${side.name}:${shownPath(path)}`;
}

/** What failed, in one line of cause and one of what to do. */
export function fileFailure(doing: string, error: unknown, kind: "url" | "program" = "url"): unknown {
  if (error instanceof CommandError) return error;
  if (error instanceof EnvironmentError || error instanceof FsError && isLinkFailure(error)) {
    const message = error instanceof EnvironmentError ? error.detail : error.message;
    return new CommandError(`${doing}: ${message}`, linkHint(message, kind), EXIT.unknown);
  }
  if (!(error instanceof FsError)) return error;
  const hint = error instanceof Refusal ? error.hint : HINTS[error.errno ?? ""] ?? null;
  const left = error instanceof RoomError ? `; ${error.left}` : "";
  return new CommandError(`${doing}: ${error.message}`, hint === null ? null : hint + left, EXIT.failed);
}

/** What makes no sense for what is there, with what to do instead. */
export class Refusal extends FsError {
  constructor(message: string, readonly hint: string | null) {
    super("refused", message);
  }
}

/** What was said of a source is of its destination: a failure there names it. */
export async function writing<T>(to: Side, path: BytePath, work: () => Soon<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FsError) || error instanceof Refusal || isLinkFailure(error)) throw error;
    throw new FsError(error.code, `cannot write ${placed(to, path)}: ${error.message}`, error.errno);
  }
}

/** The disk takes no more, and somebody has seen what is under the name now. */
export class RoomError extends FsError {
  constructor(cause: FsError, readonly left: string) {
    super(cause.code, cause.message, cause.errno);
  }
}

export function isOutOfRoom(error: unknown): error is FsError {
  return error instanceof FsError && (error.errno === "ENOSPC" || error.errno === "EDQUOT");
}

/** The connection broke: nobody could be asked, or nobody heard the answer. */
export function isLinkFailure(error: unknown): boolean {
  if (error instanceof FsError) return error.code === "lost";
  return error instanceof EnvironmentError;
}

/** What was under way is lost; what is asked next waits for the connection to be repaired. */
export function isPassingLoss(error: unknown): boolean {
  return error instanceof FsError && error.code === "lost" && error.errno === "ECONNRESET";
}
