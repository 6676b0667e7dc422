import { FsError } from "../../lib/fs/fs_error.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { baseOf, type BytePath, join, nativePath, shownPath } from "./byte_path.ts";
import { refuseDearPlace } from "./dear_places.ts";
import { fileFailure, Refusal } from "./file_failure.ts";
import type { Spot, Work } from "./fs_work.ts";

export async function mkdir({ side, flags }: Work, { word, path }: Spot): Promise<void> {
  try {
    await side.files.createDirectory(nativePath(path), { recursive: flags.has("parents") });
  } catch (error) {
    throw withHint(error, `cannot mkdir ${shownPath(word)}`, {
      EEXIST: "with -p a directory that is there is fine",
      ENOENT: "with -p the directories above it are made too",
    });
  }
}

export async function rm({ side, flags }: Work, { word, path }: Spot): Promise<void> {
  const [recursive, force] = [flags.has("recursive"), flags.has("force")];
  const facts = await side.look(path);
  if (facts === null && force) return;
  if (facts?.kind === "directory" && !facts.isLink) {
    await refuseDearPlace(side, word, path);
    if (!recursive) throw new Refusal("it is a directory", "give -r to remove all that is in it");
  }
  // A link is removed by its own name; a slash behind it would mean what it leads to.
  await side.files.remove(nativePath(path.replace(/(?<=.)\/+$/, "") as BytePath), { recursive, force });
}

export async function mv({ side }: Work, [from, to, ...more]: readonly Spot[]): Promise<ExitStatus> {
  if (from === undefined || to === undefined || more.length > 0) {
    throw usageError("fs mv takes two paths: FROM TO", "fs");
  }
  const doing = `cannot mv ${shownPath(from.word)} to ${shownPath(to.word)}`;
  if (!side.isBeyondCodex) {
    throw new CommandError(
      `${doing}: the protocol of ${side.name} has no word for renaming`,
      "let a command do it there: `exec-server run -- mv FROM TO`",
      EXIT.failed,
    );
  }
  try {
    const there = await side.look(to.path);
    const target = there?.kind === "directory" ? join(to.path, baseOf(from.path)) : to.path;
    await side.files.rename(nativePath(from.path), nativePath(target));
  } catch (error) {
    throw withHint(error, doing, {
      EINVAL: "a directory cannot be moved into itself, and `.` and `..` not at all",
      EBUSY: "a directory cannot be moved into itself, and `.` and `..` not at all",
      EISDIR: "a directory of that name is there already: choose another name",
      ENOTDIR: "a file is where a directory would have to be: choose another name",
      ENOTEMPTY: "a directory of that name is there already, and not empty: choose another name",
      EEXIST: "a directory of that name is there already, and not empty: choose another name",
    });
  }
  return EXIT.ok;
}

/** What one word has to say about an error of the system; the rest is as everywhere. */
function withHint(error: unknown, doing: string, hints: Readonly<Record<string, string>>): unknown {
  const hint = error instanceof FsError ? hints[error.errno ?? ""] : undefined;
  const told = fileFailure(doing, error);
  return hint === undefined || !(told instanceof CommandError)
    ? told
    : new CommandError(told.message, hint, told.status);
}
