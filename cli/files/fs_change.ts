import { FsError } from "../../lib/fs/fs_error.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { baseOf, type BytePath, join, nativePath, shownPath } from "./byte_path.ts";
import { fileFailure } from "./file_failure.ts";
import { real, type Spot, type Work } from "./fs_work.ts";

export async function mkdir({ side, flags }: Work, { path }: Spot): Promise<void> {
  await side.files.createDirectory(nativePath(path), { recursive: flags.has("parents") });
}

export async function rm({ side, flags }: Work, { word, path }: Spot): Promise<void> {
  const [recursive, force] = [flags.has("recursive"), flags.has("force")];
  const facts = await side.look(path);
  if (facts === null && force) return;
  if (facts?.kind === "directory" && !facts.isLink) {
    if (!recursive) {
      throw new CommandError(
        `cannot rm ${shownPath(word)}: it is a directory`,
        "give -r to remove all that is in it",
        EXIT.failed,
      );
    }
    const isTooMuch = /(^|\/)\.\.?\/*$/.test(word) || await real(side, path) === "/";
    if (isTooMuch) throw new FsError("refused", "that is never what is wanted");
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
    throw fileFailure(doing, error);
  }
  return EXIT.ok;
}
