import { lstatSync, type Stats } from "node:fs";
import { FsError } from "../fs_error.ts";
import { MAX_MISSING_PATHS, type MissingPaths, type MissingWatch, type NativePath } from "../file_system.ts";
import { HAPPENING, type Happening, inotify } from "./inotify.ts";
import { hasLinuxCalls } from "./libc.ts";
import { mountWatch } from "./mount_watch.ts";
import { byteString, pathOf } from "./native_bytes.ts";
import { isOnSureFileSystem } from "./sure_file_system.ts";
import { asFsError } from "./system_call.ts";

const {
  attributes,
  created,
  deleted,
  deletedItself,
  ignored,
  modified,
  movedFrom,
  movedItself,
  movedTo,
  overflow,
  unmounted,
} = HAPPENING;
const GONE = deletedItself | movedItself | unmounted | ignored | overflow;

/** Looking at each takes its time, and all of them are looked at in one go. */
const MAX_WATCHED_PLACES = 1_024;

/** What is to be noticed at one place. */
interface Interest {
  /** Of the place itself; a parent that is opened or closed to us changes what can be seen. */
  events: number;
  /** Names in it that may come or go. */
  readonly names: Set<string>;
}

/** Says so once when something may have come about; null where that could not be promised. */
export function watchMissing({ missing, present }: MissingPaths, onChange: () => void): MissingWatch | null {
  if (!hasLinuxCalls || missing.length > MAX_MISSING_PATHS) return null;
  const plan = planFor(missing, present);
  if (plan === null) return null;
  const stops: (() => void)[] = [];
  const stop = () => stops.splice(0).forEach((each) => each());
  const tell = () => {
    if (stops.length === 0) return;
    stop();
    onChange();
  };
  try {
    stops.push(mountWatch.watch((places) => {
      if (places === null || [...places].some((place) => plan.has(place))) tell();
    }));
    for (const [path, interest] of plan) {
      const events = GONE & ~(overflow | ignored | unmounted) | interest.events |
        (interest.names.size > 0 ? created | movedTo | movedFrom | deleted : 0);
      const listener = (happening: Happening) => {
        if (concerns(happening, interest)) tell();
      };
      stops.push(inotify.watch(Buffer.from(path, "latin1"), events, listener));
    }
  } catch (error) {
    stop();
    if (error instanceof FsError) return null;
    throw error;
  }
  // What changed between the first look and the watch would go unnoticed.
  if (isSame(plan, planFor(missing, present))) return { stop };
  stop();
  return null;
}

function concerns({ mask, name }: Happening, { events, names }: Interest): boolean {
  if (mask & overflow) return true;
  return name === "" ? (mask & (GONE | events)) !== 0 : names.has(name);
}

type Plan = Map<string, Interest>;

/** null: it cannot be watched with certainty, or there is nothing missing. */
function planFor(missing: readonly NativePath[], present: NativePath | null): Plan | null {
  const plan: Plan = new Map();
  for (const path of missing) {
    const way = lookAlong(path);
    if (way === null || way.missing === null) return null;
    addWay(plan, way.there);
    plan.get(way.there.at(-1)!.path)!.names.add(way.missing);
    if (plan.size > MAX_WATCHED_PLACES) return null;
  }
  if (present !== null && !addPresent(plan, present)) return null;
  return [...plan.keys()].every(isOnSureFileSystem) ? plan : null;
}

function addPresent(plan: Plan, present: NativePath): boolean {
  const way = lookAlong(present);
  if (way === null || way.missing !== null) return false;
  addWay(plan, way.there);
  const [parent, last] = [way.there.at(-2), way.there.at(-1)!];
  plan.get(last.path)!.events |= last.found.isDirectory() ? 0 : modified;
  if (parent !== undefined) plan.get(parent.path)!.names.add(last.name);
  return true;
}

function addWay(plan: Plan, way: readonly Place[]): void {
  for (const { path } of way) if (!plan.has(path)) plan.set(path, { events: attributes, names: new Set() });
}

interface Place {
  readonly path: string;
  readonly name: string;
  readonly found: Stats;
}

interface Way {
  /** From the root on. */
  readonly there: readonly Place[];
  /** The first name that is not; null when all are. */
  readonly missing: string | null;
}

/** null for a link anywhere, for a parent that is no directory, and for what cannot be looked at. */
function lookAlong(path: NativePath): Way | null {
  const text = byteString(path);
  const names = text.split("/").filter((name) => name !== "");
  if (text.includes("\0") || names.includes(".") || names.includes("..")) return null;
  const there: Place[] = [];
  let here = "";
  for (const [index, name] of ["", ...names].entries()) {
    here = index === 0 ? "/" : here === "/" ? `/${name}` : `${here}/${name}`;
    const found = look(here);
    if (found === "missing") return { there, missing: name };
    const isLast = index === names.length;
    const mayBe = found !== null && (found.isDirectory() || isLast && found.isFile());
    if (!mayBe) return null;
    there.push({ path: here, name, found });
  }
  return { there, missing: null };
}

function look(path: string): Stats | "missing" | null {
  try {
    return lstatSync(pathOf(path));
  } catch (error) {
    const failure = asFsError(error);
    if (!(failure instanceof FsError)) throw error;
    return failure.errno === "ENOENT" ? "missing" : null;
  }
}

function isSame(plan: Plan, again: Plan | null): boolean {
  return again !== null && again.size === plan.size && [...plan].every(([path, { names }]) => {
    const others = again.get(path)?.names;
    return others !== undefined && others.size === names.size && [...names].every((name) => others.has(name));
  });
}
