import type { Command, Flags } from "../command.ts";
import { complain } from "../complain.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { parsePosixFlags } from "../posix_flags.ts";
import { Notices } from "../run/notices.ts";
import { BrokenPipe } from "../run/write_all.ts";
import { type BytePath, shownPath } from "./byte_path.ts";
import { fileFailure, isLinkFailure } from "./file_failure.ts";
import { mkdir, mv, rm } from "./fs_change.ts";
import { cat, ls, stat } from "./fs_look.ts";
import { walk } from "./fs_walk.ts";
import type { Spot, Verb, Work } from "./fs_work.ts";
import { openSides } from "./open_sides.ts";
import { refuseEmptyPaths, wordBytes } from "./operand.ts";
import type { Side } from "./side.ts";

const VERBS: Readonly<Record<string, Verb>> = { ls, cat, stat, mkdir, rm, walk };
/** What each of them has a use for, beside where it is to be and how much it tells. */
const OWN_FLAGS: Readonly<Record<string, readonly string[]>> = {
  ls: ["json"],
  cat: [],
  stat: ["json"],
  mkdir: ["parents"],
  rm: ["recursive", "force"],
  mv: [],
  walk: ["json", "null"],
};

/** These look at where commands start when nothing is named. */
const MAY_STAND_ALONE = new Set(["ls", "walk"]);

/** `fs ls|cat|stat|mkdir|rm|mv|walk`: the files of the place where commands would run. */
export async function fsCommand(
  entry: Command,
  before: Flags,
  [word, ...rest]: readonly string[],
): Promise<ExitStatus> {
  const names = [...Object.keys(VERBS), "mv"].join(", ");
  if (word === undefined) throw usageError(`what is to be done? There are ${names}`, "fs");
  const verb = Object.hasOwn(VERBS, word) ? VERBS[word]! : null;
  if (verb === null && word !== "mv") throw usageError(`unknown word ${word}; there are ${names}`, "fs");
  // As with rm and mkdir themselves, options may stand behind the word as well.
  const { flags: after, words } = parsePosixFlags(entry, rest);
  if (after.has("help")) throw usageError("the help of all of these is one page", "fs");
  const flags = merged(before, after);
  refuseForeignFlags(word, flags);
  refuseEmptyPaths(words);
  const paths = words.length === 0 && MAY_STAND_ALONE.has(word) ? ["." as BytePath] : wordBytes(words);
  if (paths.length === 0) throw usageError(`fs ${word} needs a path`, "fs");
  const notices = new Notices({ quiet: false, verbose: flags.has("verbose"), color: "auto" });
  await using sides = await openSides("fs", flags, notices);
  const work = { side: sides.there, flags, json: flags.has("json") };
  const spots = paths.map((path) => ({ word: path, path: placeOf(sides.there, path) }));
  return verb === null ? await mv(work, spots) : await each(work, word, verb, spots);
}

/** What fails for one path is told, and the others go on. */
async function each(work: Work, word: string, verb: Verb, spots: readonly Spot[]): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.ok;
  for (const spot of spots) {
    try {
      await verb(work, spot);
    } catch (error) {
      if (error instanceof BrokenPipe) return EXIT.brokenPipe;
      const failure = fileFailure(`cannot ${word} ${shownPath(spot.word)}`, error);
      if (isLinkFailure(error) || !(failure instanceof CommandError)) throw failure;
      status = complain(withColonHint(failure, spot.word));
    }
  }
  return status;
}

function refuseForeignFlags(word: string, flags: Flags): void {
  const own = OWN_FLAGS[word]!;
  const foreign = Object.values(OWN_FLAGS).flat().find((name) => flags.has(name) && !own.includes(name));
  if (foreign !== undefined) throw usageError(`fs ${word} has no option --${foreign}`, "fs");
}

function withColonHint(error: CommandError, word: BytePath): CommandError {
  if (!word.startsWith(":")) return error;
  return new CommandError(
    error.message,
    "paths of `fs` are where commands run: leave out the colon",
    error.status,
  );
}

function placeOf(side: Side, path: BytePath): BytePath {
  try {
    return side.absolute(path);
  } catch (error) {
    throw fileFailure(`cannot find ${shownPath(path)}`, error);
  }
}

function merged(before: Flags, after: Flags): Flags {
  return {
    has: (name) => before.has(name) || after.has(name),
    text: (name) => after.text(name) ?? before.text(name),
    texts: (name) => [...before.texts(name), ...after.texts(name)],
  };
}
