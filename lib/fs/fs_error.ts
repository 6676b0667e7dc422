import { osErrorText } from "../base/os_error.ts";

/** What can go wrong with files, in words that both the wire and the command line can translate. */
export type FsErrorCode =
  | "system" // the system said no; `errno` is its name for why
  | "lost" // the far system could not be asked, or its answer was not heard; `errno` says which
  | "refused" // the request makes no sense for what is there, or goes beyond a limit of ours
  | "unsupported"; // this place cannot do that

export class FsError extends Error {
  override readonly name = "FsError";
  constructor(readonly code: FsErrorCode, message: string, readonly errno: string | null = null) {
    super(message);
  }
}

/** The error of a system call, by the name of its errno. */
export function systemError(errno: string): FsError {
  return new FsError("system", osErrorText(errno), errno);
}
