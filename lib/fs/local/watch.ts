import { basename, dirname } from "node:path";
import { type BigIntStats, statSync } from "node:fs";
import type { Change, NativePath, Watch } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { HAPPENING, type Happening, inotify } from "./inotify.ts";
import { hasLinuxCalls } from "./libc.ts";
import { byteString, checkedPath, nativeOf, pathOf } from "./native_bytes.ts";
import { PacedTeller } from "./paced_teller.ts";
import { isOnSureFileSystem } from "./sure_file_system.ts";
import { now } from "./system_call.ts";
import { wholeMachine } from "./whole_machine.ts";

const { attributes, created, deleted, deletedItself, ignored, modified } = HAPPENING;
const { movedFrom, movedItself, movedTo, overflow, unmounted } = HAPPENING;

const CAME_OR_WENT = created | deleted | movedFrom | movedTo;
const GONE = deletedItself | movedItself;
/** Nobody asks for these; they are told all the same. */
const OVER = unmounted | ignored;

/** Throws FsError for what is not there; null where a change could go unnoticed. */
export function watch(path: NativePath, onChange: (change: Change) => void): Watch | null {
  if (!hasLinuxCalls) return null;
  const place = byteString(wholeMachine.canonical(checkedPath(path)));
  const found = lookAt(place);
  const teller = new PacedTeller(onChange);
  try {
    if (found.isDirectory()) return isOnSureFileSystem(place) ? watchDirectory(place, teller) : null;
    const directory = dirname(place);
    // What is mounted over a file changes behind its directory's back.
    const isInIt = found.isFile() && lookAt(directory).dev === found.dev;
    return isInIt && isOnSureFileSystem(directory) ? watchFile(directory, basename(place), teller) : null;
  } catch (error) {
    teller.stop();
    if (error instanceof FsError && OUT_OF_WATCHES.has(error.errno ?? "")) return null;
    throw error;
  }
}

const OUT_OF_WATCHES = new Set(["ENOSPC", "EMFILE", "ENFILE", "ENOMEM"]);

function lookAt(place: string): BigIntStats {
  return now(() => statSync(pathOf(place), { bigint: true }));
}

function watchDirectory(place: string, teller: PacedTeller): Watch {
  const events = CAME_OR_WENT | modified | attributes | GONE;
  teller.onStop(listen(place, events, ({ mask, name }) => {
    if (isOver(mask, name)) teller.end();
    else if (mask & overflow) teller.tell([], true);
    else if (mask & events) teller.tell(name === "" ? [] : [nativeOf(name)], false);
  }));
  return teller;
}

/** By its name, which may be given to another file, and itself, which others may write to by other names. */
function watchFile(directory: string, name: string, teller: PacedTeller): Watch {
  const itself = () =>
    listen(`${directory}/${name}`, modified | attributes, ({ mask }) => {
      if (mask & (modified | attributes)) teller.tell([], false);
    });
  let stopItself = itself();
  teller.onStop(() => stopItself());
  const events = CAME_OR_WENT | GONE;
  teller.onStop(listen(directory, events, ({ mask, name: changed }) => {
    if (isOver(mask, changed)) return teller.end();
    if (mask & overflow) return teller.tell([], true);
    if (changed !== name || !(mask & CAME_OR_WENT)) return;
    stopItself();
    stopItself = unlessGone(itself);
    teller.tell([], false);
  }));
  return teller;
}

function listen(place: string, events: number, listener: (happening: Happening) => void): () => void {
  return inotify.watch(Buffer.from(place, "latin1"), events, listener);
}

function isOver(mask: number, name: string): boolean {
  return name === "" && (mask & (GONE | OVER)) !== 0;
}

/** Nothing has the name just now. When something has it again, that is heard. */
function unlessGone(listenAgain: () => () => void): () => void {
  try {
    return listenAgain();
  } catch (error) {
    if (error instanceof FsError) return () => {};
    throw error;
  }
}
