import {
  close,
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import { type BytePath, child, isWithin, nativeBytes, parentOf, shownPath, upwards } from "./byte_path.ts";
import { tryLock } from "./libc.ts";
import { O_CLOEXEC, O_PATH } from "./linux.ts";
import { isMarked, isVacant, KEPT, MARK, openDirectory, statNamed } from "./mask_mark.ts";
import type { MountRule, Rules } from "./rules.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** Others take one away while we look, but only for as long as a removal takes. */
const TRIES = 50;
const PATIENT_AFTER = 5;
const PATIENCE_MS = 1;

const KEPT_BELOW = Buffer.from(`/${KEPT.name}`);

interface Point {
  readonly path: BytePath;
  readonly fd: number;
  users: number;
}

const points = new Map<BytePath, Point>();

/**
 * A mask needs something to be mounted on, so a missing name gets a directory on the host for as long as a sandbox
 * masks it. If one went away under a running sandbox its mask would go with it. So each user holds a shared lock on
 * it, servers unknown to us too, and only who gets the exclusive one removes it. Whoever knows nothing of that finds
 * it not empty. An empty directory of somebody else's is held in the same way, and never removed.
 *
 * Gives the rules as they are to be mounted, and how to let go. Throws an UnenforceableError where a name can
 * neither be masked nor is out of reach anyway; nothing is held then.
 */
export function holdMaskPoints(rules: Rules): { rules: Rules; release(): void } {
  const held: Point[] = [];
  const release = () => {
    for (const point of held.splice(0)) letGo(point);
  };
  let changed = false;
  try {
    const mounts = rules.mounts.flatMap((rule): MountRule[] => {
      const kept = holdFor(rule, rules, held);
      if (kept !== rule) changed = true;
      return kept === null ? [] : [kept];
    });
    return { rules: changed ? { ...rules, mounts } : rules, release };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The rule that serves, or null for none. Another one where the disk is not as it was when the rules were made: the
 * mask points of others come and go.
 */
function holdFor(rule: MountRule, rules: Rules, held: Point[]): MountRule | null {
  const { kind, path } = rule;
  // Nobody needs the mask of what may be written, or of what lies where nothing may be.
  if (kind !== "absent" && (kind === "write" || !isBelowWritable(path, rules))) return rule;
  const isMissing = kind === "absent" || isGone(rule);
  if (!isMissing && !isVacant(path)) return rule;
  const found = hold(path, isMissing);
  if (found === "gone") return rule;
  if (found === "unreachable") return kind === "absent" ? null : rule;
  held.push(found);
  if (kind !== "absent" && kind !== "read") return rule;
  if (!isMarked(path)) return kind === "read" ? rule : { kind: "read", path };
  mark(found.fd);
  return kind === "absent" ? rule : { kind: "absent", path };
}

function isGone({ kind, path }: MountRule): boolean {
  return (kind === "read" || kind === "deny-directory") && statNamed(path) === null;
}

function isBelowWritable(path: BytePath, { mounts }: Rules): boolean {
  for (const at of upwards(parentOf(path))) {
    const rule = mounts.find((mount) => mount.path === at && isWithin(path, at));
    if (rule !== undefined) return rule.kind === "write";
  }
  return false;
}

function hold(path: BytePath, make: boolean): Point | "gone" | "unreachable" {
  const known = points.get(path);
  if (known !== undefined && isStill(path, known.fd)) {
    known.users += 1;
    return known;
  }
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > PATIENT_AFTER) Bun.sleepSync(PATIENCE_MS);
    if (make && makePoint(path) === "unreachable") return "unreachable";
    const fd = openDirectory(path);
    if (fd === null) {
      if (make) continue;
      return "gone";
    }
    // Locked, and still the one that has the name: nobody of us removes it from now on.
    if (tryLock(fd, "shared") && isStill(path, fd)) {
      const point = { path, fd, users: 1 };
      points.set(path, point);
      return point;
    }
    closeSync(fd);
  }
  throw cannot(path, "somebody else has it locked");
}

function makePoint(path: BytePath): "there" | "unreachable" {
  try {
    makeMarked(path);
    return "there";
  } catch (error) {
    if (error instanceof UnenforceableError) throw error;
    const code = osErrorCode(error) ?? "EIO";
    if (code === "EEXIST" || code === "ENOENT" && statNamed(parentOf(path)) !== null) return "there";
    // Inside nobody has more rights than we have, so what we cannot make there nobody can make there.
    if (code === "EROFS") return "unreachable";
    if ((code === "EACCES" || code === "EPERM") && !isOurs(parentOf(path))) return "unreachable";
    throw cannot(path, osErrorText(code));
  }
}

/** In the directory that has the parent's name itself: a link that came to stand there must not lead us elsewhere. */
function makeMarked(path: BytePath): void {
  const parent = parentOf(path);
  const fd = openSync(nativeBytes(parent), O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    const at = readlinkSync(`/proc/self/fd/${fd}`, { encoding: "buffer" }).toString("latin1");
    if (at !== parent) throw cannot(path, "a symlink has come to stand on the way");
    const point = nativeBytes(child(`/proc/self/fd/${fd}`, path.slice(path.lastIndexOf("/") + 1)));
    mkdirSync(point);
    try {
      symlinkSync(KEPT.target, Buffer.concat([point, KEPT_BELOW]));
    } catch {
      // Not every disk has links. It holds without.
    }
    utimesSync(point, MARK, MARK);
  } finally {
    closeSync(fd);
  }
}

/** Its owner could give himself the right to write. */
function isOurs(directory: BytePath): boolean {
  const stats = statNamed(directory);
  return stats === null || stats.uid === process.geteuid?.();
}

function letGo(point: Point): void {
  if (--point.users > 0) return;
  const { path } = point;
  // Another one may have its name by now, if somebody took this one away.
  if (points.get(path) === point) points.delete(path);
  let removed = false;
  try {
    if (!tryLock(point.fd, "exclusive")) return;
    const wasMarked = fstatSync(point.fd).mtimeMs === MARK * 1000;
    const wasKept = takeOut(point.fd);
    // Whoever has put something into it keeps it: then it cannot be removed.
    if ((wasMarked || wasKept) && isStill(path, point.fd)) {
      rmdirSync(nativeBytes(path));
      removed = true;
    }
  } catch {
    // Somebody has put something into it since: it is theirs.
  } finally {
    // The last to let go of what has no name any more waits for the disk, and nobody should wait for that.
    if (removed) close(point.fd, () => {});
    else closeSync(point.fd);
  }
}

/** What is ours, wherever somebody may have moved the directory. */
function takeOut(fd: number): boolean {
  try {
    unlinkSync(`/proc/self/fd/${fd}/${KEPT.name}`);
    return true;
  } catch {
    return false;
  }
}

/** Again, where it was lost: its maker may have ended before, and others put things in and take them out. */
function mark(fd: number): void {
  if (fstatSync(fd).mtimeMs !== MARK * 1000) futimesSync(fd, MARK, MARK);
}

function isStill(path: BytePath, fd: number): boolean {
  const [named, opened] = [statNamed(path), fstatSync(fd)];
  return named !== null && named.ino === opened.ino && named.dev === opened.dev;
}

function cannot(path: BytePath, why: string): UnenforceableError {
  return new UnenforceableError(`hold the place of ${shownPath(path)}: ${why}`);
}
