import { type DirectoryEntry, MAX_WALK } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { CommandError, EXIT } from "../exit_status.ts";
import { writeAll } from "../run/write_all.ts";
import { again } from "./again.ts";
import { type BytePath, bytePath, isPlainName, join, nativePath, shownPath } from "./byte_path.ts";
import { jsonPath } from "./file_facts.ts";
import { isLinkFailure, Refusal } from "./file_failure.ts";
import { mustBeThere, real, type Spot, STDOUT, type Work } from "./fs_work.ts";
import type { Kind, Side } from "./side.ts";

/** Directories that are asked for at a time. */
const ASKED_AT_ONCE = 16;

interface Walked {
  /** Below the top. */
  readonly path: BytePath;
  readonly kind: Kind;
}

/** Takes what was found in some directories. */
type Show = (found: readonly Walked[]) => Promise<void>;

/** All that is below a directory, breadth first, each directory in the order of its bytes. */
export async function walk({ side, flags, json }: Work, { word, path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  if (facts.kind !== "directory") {
    throw new Refusal("it is not a directory", "see what is known of it: `exec-server fs stat PATH`");
  }
  const top = facts.isLink ? await real(side, path) : path;
  const end = flags.has("null") ? "\0" : "\n";
  // A terminal would do what a name says; who reads a pipe wants the name.
  const isText = json || process.stdout.isTTY === true;
  const spelled = isText ? shownPath : (path: BytePath) => path;
  const show: Show = async (found) => {
    const lines = found.map(({ path, kind }) => {
      const shown = join(word, path);
      return json ? `${JSON.stringify({ kind, ...jsonPath("path", shown) })}\n` : spelled(shown) + end;
    });
    await writeAll(STDOUT, Buffer.from(lines.join(""), isText ? "utf8" : "latin1"));
  };
  const errors: string[] = [];
  const onError = (below: BytePath, message: string) =>
    errors.push(`${shownPath(join(word, below))}: ${message}`);
  const isAll = side.isBeyondCodex
    ? await walkByListing(side, top, show, onError)
    : await walkAtOnce(side, top, show, onError);
  const [first, ...others] = errors;
  if (first !== undefined) {
    throw new FsError("refused", `${first}${others.length > 0 ? ` (and ${others.length} more)` : ""}`);
  }
  if (isAll) return;
  throw new CommandError(
    `cannot walk all of ${shownPath(word)}: it is larger than one answer may be`,
    "walk the directories in it one by one",
    EXIT.failed,
  );
}

type OnError = (below: BytePath, message: string) => void;

/** Without links: the protocol leaves them out. Resolves with whether it was all. */
async function walkAtOnce(side: Side, top: BytePath, show: Show, onError: OnError): Promise<boolean> {
  const found: Walked[] = [];
  const { depth: maxDepth, directories: maxDirectories, entries: maxEntries } = MAX_WALK;
  const limits = { maxDepth, maxDirectories, maxEntries };
  const options = { ...limits, followDirectorySymlinks: false, pruneHiddenDirectories: false };
  const { truncated } = await side.files.walk(nativePath(top), options, (item) => {
    const path = bytePath(item.path);
    if (item.kind === "error") onError(path, item.message);
    else found.push({ path, kind: item.kind });
    return true;
  });
  await show(found);
  return !truncated;
}

/** Links and all, however much there is. */
async function walkByListing(side: Side, top: BytePath, show: Show, onError: OnError): Promise<boolean> {
  const entriesOf = async (below: BytePath): Promise<readonly Walked[]> => {
    try {
      const place = nativePath(join(top, below));
      const entries = await again(() => side.files.readDirectory(place, { all: true }));
      return entries.map((entry) => walked(below, entry)).sort((a, b) => a.path < b.path ? -1 : 1);
    } catch (error) {
      if (!(error instanceof FsError) || isLinkFailure(error) || below === "") throw error;
      onError(below, error.message);
      return [];
    }
  };
  for (let level: readonly BytePath[] = ["" as BytePath]; level.length > 0;) {
    const next: BytePath[] = [];
    for (let at = 0; at < level.length; at += ASKED_AT_ONCE) {
      const found = (await Promise.all(level.slice(at, at + ASKED_AT_ONCE).map(entriesOf))).flat();
      await show(found);
      for (const { path, kind } of found) if (kind === "directory") next.push(path);
    }
    level = next;
  }
  return true;
}

function walked(below: BytePath, { name, isDirectory, isFile, isSymlink }: DirectoryEntry): Walked {
  const bytes = bytePath(name);
  if (!isPlainName(bytes)) {
    throw new FsError("refused", `the server names ${JSON.stringify(bytes)} as a file`);
  }
  const kind = isSymlink === true ? "link" : isDirectory ? "directory" : isFile ? "file" : "other";
  return { path: below === "" ? bytes : join(below, bytes), kind };
}
