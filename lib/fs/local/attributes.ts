import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  statSync,
  utimesSync,
} from "node:fs";
import type { FileAttributes, FileTimes, FollowOptions, NativePath } from "../file_system.ts";
import { FsError, systemError } from "../fs_error.ts";
import { O_PATH } from "./held_directory.ts";
import { hasLinuxCalls, setTimesAt, setTimesOf, type TimesMs } from "./libc.ts";
import { checkedPath } from "./native_bytes.ts";
import { refusedLink, withoutFollowing } from "./no_follow.ts";
import type { Place, Spot, SystemPath } from "./place.ts";
import { now } from "./system_call.ts";

/** The largest length that the runtime takes; no file system holds as much. */
const LARGEST_LENGTH = 2 ** 52 - 1;

export function setMode(
  place: Place,
  path: NativePath,
  mode: number,
  { followSymlinks = true }: FollowOptions = {},
): void {
  checkMode(mode);
  if (followSymlinks) {
    using target = place.target(checkedPath(path));
    now(() => chmodSync(target.path, mode));
  } else {
    withoutFollowing(place, path, (spot) => setModeOfNoLink(spot, mode));
  }
}

/** Held meanwhile: between a look and the change a link could take its place. */
function setModeOfNoLink(spot: Spot, mode: number): void {
  const fd = spot.open(O_PATH | constants.O_NOFOLLOW);
  try {
    if (fstatSync(fd).isSymbolicLink()) throw refusedLink();
    now(() => chmodSync(`/proc/self/fd/${fd}`, mode));
  } finally {
    closeSync(fd);
  }
}

export function setTimes(
  place: Place,
  path: NativePath,
  times: FileTimes,
  { followSymlinks = true }: FollowOptions = {},
): void {
  if (followSymlinks) {
    using target = place.target(checkedPath(path));
    setTimesHere(target.path, times, "follow");
  } else {
    withoutFollowing(place, path, (spot) => setTimesHere(spot.path, times, "itself"));
  }
}

export function setAttributes(
  fd: number,
  { length, mode, modifiedAtMs, accessedAtMs }: FileAttributes,
): void {
  if (mode !== undefined) checkMode(mode);
  if (length !== undefined) setLength(fd, length);
  if (mode !== undefined) now(() => fchmodSync(fd, mode));
  if (modifiedAtMs === undefined && accessedAtMs === undefined) return;
  // Last: all that comes before changes when it was modified.
  const modified = modifiedAtMs ?? Math.floor(fstatSync(fd).mtimeMs);
  const times: TimesMs = [accessedAtMs ?? null, modified];
  if (hasLinuxCalls) return setTimesOf(fd, times);
  now(() => futimesSync(fd, (times[0] ?? fstatSync(fd).atimeMs) / 1000, modified / 1000));
}

function setLength(fd: number, length: number): void {
  if (!(length >= 0)) throw systemError("EINVAL");
  if (length > LARGEST_LENGTH) throw systemError("EFBIG");
  now(() => ftruncateSync(fd, length));
}

function setTimesHere(
  path: SystemPath,
  { accessedAtMs, modifiedAtMs }: FileTimes,
  links: "follow" | "itself",
): void {
  if (hasLinuxCalls) return setTimesAt(path, [accessedAtMs ?? null, modifiedAtMs], links);
  const [look, set] = links === "follow" ? [statSync, utimesSync] : [lstatSync, lutimesSync];
  now(() => set(path, (accessedAtMs ?? look(path).atimeMs) / 1000, modifiedAtMs / 1000));
}

function checkMode(mode: number): void {
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return;
  throw new FsError("refused", `file mode must be between 0 and ${0o7777}`);
}
