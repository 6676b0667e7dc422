import type { NativePath } from "../../lib/fs/file_system.ts";
import { MAX_WALK } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import type { Command, Flags } from "../command.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { fileBlocks } from "./blocks.ts";
import { baseOf, type BytePath, bytePath, join, nativePath, shownPath } from "./byte_path.ts";
import { factLines, factObject, factsIn, jsonPath, modeText, timeOf } from "./file_facts.ts";
import { fileFailure, isLinkFailure } from "./file_failure.ts";
import { openSides } from "./open_sides.ts";
import { wordBytes } from "./operand.ts";
import { realPath } from "./same_file.ts";
import type { Facts, Side } from "./side.ts";
import { complain } from "../complain.ts";
import { Notices } from "../run/notices.ts";
import { parsePosixFlags } from "../posix_flags.ts";
import { BrokenPipe, writeAll } from "../run/write_all.ts";

const STDOUT = 1;

/** A path as it was written, and where that is. */
interface Spot {
  readonly word: BytePath;
  readonly path: BytePath;
}

interface Work {
  readonly side: Side;
  readonly flags: Flags;
  readonly json: boolean;
}

type Verb = (work: Work, spot: Spot) => Promise<void>;

const VERBS: Readonly<Record<string, Verb>> = { ls, cat, stat, mkdir, rm, walk };
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

function withColonHint(error: CommandError, word: BytePath): CommandError {
  if (!word.startsWith(":")) return error;
  return new CommandError(
    error.message,
    "paths of `fs` are where commands run: leave out the colon",
    error.status,
  );
}

async function ls({ side, json }: Work, { word, path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  const isDirectory = facts.kind === "directory";
  const { named, unnamable } = isDirectory
    ? await factsIn(side, facts.isLink ? await real(side, path) : path)
    : { named: [{ name: word, facts }], unnamable: [] };
  await print(json ? named.map((one) => `${JSON.stringify(factObject(one))}\n`).join("") : factLines(named));
  if (unnamable.length > 0) {
    throw new FsError("refused", `cannot ask for ${JSON.stringify(unnamable.join(", "))}`);
  }
}

async function cat({ side }: Work, { path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  const file = await side.files.open(nativePath(path), "read");
  try {
    for await (const block of fileBlocks(file, 0, facts.size)) await writeAll(STDOUT, block);
  } finally {
    await file.close();
  }
}

async function stat({ side, json }: Work, { word, path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  if (json) {
    return await print(
      `${JSON.stringify({ ...factObject({ name: word, facts }), ...jsonPath("path", path) })}\n`,
    );
  }
  const rows: [string, string][] = [
    ["path", shownPath(path)],
    ["kind", facts.isLink && facts.kind !== "link" ? `link to a ${facts.kind}` : facts.kind],
    ["size", String(facts.size)],
    ["modified", `${timeOf(facts.modifiedAtMs)} (${new Date(facts.modifiedAtMs).toISOString()})`],
    [
      "mode",
      facts.mode === null ? "not told" : `${facts.mode.toString(8).padStart(4, "0")} ${modeText(facts.mode)}`,
    ],
  ];
  await print(rows.map(([name, value]) => `${name.padEnd(8)}  ${value}\n`).join(""));
}

async function mkdir({ side, flags }: Work, { path }: Spot): Promise<void> {
  await side.files.createDirectory(nativePath(path), { recursive: flags.has("parents") });
}

async function rm({ side, flags }: Work, { word, path }: Spot): Promise<void> {
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

async function mv({ side }: Work, [from, to, ...more]: readonly Spot[]): Promise<ExitStatus> {
  if (from === undefined || to === undefined || more.length > 0) {
    throw usageError("fs mv takes two paths: FROM TO", "fs");
  }
  const doing = `cannot mv ${shownPath(from.word)} to ${shownPath(to.word)}`;
  if (side.powers === null) {
    throw new CommandError(
      `${doing}: the protocol of ${side.name} has no word for renaming`,
      "let a command do it there: `exec-server run -- mv FROM TO`",
      EXIT.failed,
    );
  }
  try {
    const there = await side.look(to.path);
    const target = there?.kind === "directory" ? join(to.path, baseOf(from.path)) : to.path;
    side.powers.rename(from.path, target);
  } catch (error) {
    throw fileFailure(doing, error);
  }
  return EXIT.ok;
}

async function walk({ side, flags, json }: Work, { word, path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  if (facts.kind !== "directory") throw new FsError("refused", "it is not a directory");
  const end = flags.has("null") ? "\0" : "\n";
  const lines: Buffer[] = [];
  const errors: string[] = [];
  const limits = {
    maxDepth: MAX_WALK.depth,
    maxDirectories: MAX_WALK.directories,
    maxEntries: MAX_WALK.entries,
  };
  const options = { ...limits, followDirectorySymlinks: false, pruneHiddenDirectories: false };
  const top = facts.isLink ? await real(side, path) : path;
  const { truncated } = await side.files.walk(nativePath(top), options, (item) => {
    const found = join(word, bytePath(item.path as NativePath));
    if (item.kind === "error") errors.push(`${shownPath(found)}: ${item.message}`);
    else if (json) {
      lines.push(Buffer.from(`${JSON.stringify({ kind: item.kind, ...jsonPath("path", found) })}\n`));
    } else lines.push(Buffer.from(found + end, "latin1"));
    return true;
  });
  await writeAll(STDOUT, Buffer.concat(lines));
  const [first, ...others] = errors;
  if (first !== undefined) {
    throw new FsError("refused", `${first}${others.length > 0 ? ` (and ${others.length} more)` : ""}`);
  }
  if (!truncated) return;
  throw new CommandError(
    `cannot walk all of ${shownPath(word)}: it is larger than one answer may be`,
    "walk the directories in it one by one",
    EXIT.failed,
  );
}

function placeOf(side: Side, path: BytePath): BytePath {
  try {
    return side.absolute(path);
  } catch (error) {
    throw fileFailure(`cannot find ${shownPath(path)}`, error);
  }
}

async function mustBeThere(side: Side, path: BytePath): Promise<Facts> {
  const facts = await side.look(path);
  if (facts !== null) return facts;
  throw new FsError("system", "No such file or directory (os error 2)", "ENOENT");
}

async function real(side: Side, path: BytePath): Promise<BytePath> {
  return await realPath({ side, path }) ?? path;
}

async function print(text: string): Promise<void> {
  await writeAll(STDOUT, Buffer.from(text));
}

function merged(before: Flags, after: Flags): Flags {
  return {
    has: (name) => before.has(name) || after.has(name),
    text: (name) => after.text(name) ?? before.text(name),
    texts: (name) => [...before.texts(name), ...after.texts(name)],
  };
}
