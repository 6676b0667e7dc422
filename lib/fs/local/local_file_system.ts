import type { FileSystem } from "../file_system.ts";
import { append } from "./append.ts";
import { setMode, setTimes } from "./attributes.ts";
import { copy } from "./copy_tree.ts";
import { canonicalize, createDirectory, readDirectory } from "./directories.ts";
import { createSymlink, rename } from "./directory_names.ts";
import { openFile } from "./local_open_file.ts";
import { getMetadata } from "./metadata.ts";
import type { Place } from "./place.ts";
import { readFile } from "./read_file.ts";
import { remove } from "./remove_tree.ts";
import { walkTree } from "./walk_tree.ts";
import { watch } from "./watch.ts";
import { watchMissing } from "./watch_missing.ts";
import { wholeMachine } from "./whole_machine.ts";
import { writeFile } from "./write_in_place.ts";

/**
 * The files of a place on this machine. Small things are done at once; large files off the main thread, and large
 * trees in turns with everybody else. Nothing can be watched there.
 */
export function filesOf(place: Place): FileSystem {
  return {
    abilities: () => ({ beyondCodex: true }),
    readFile: (path, options) => readFile(place, path, options),
    writeFile: (path, bytes, options) => writeFile(place, path, bytes, options),
    append: (path, bytes) => append(place, path, bytes),
    open: (path, mode, options) => openFile(place, path, mode, options),
    createDirectory: (path, options) => createDirectory(place, path, options),
    createSymlink: (path, target) => createSymlink(place, path, target),
    getMetadata: (path, options) => getMetadata(place, path, options),
    setMode: (path, mode, options) => setMode(place, path, mode, options),
    setTimes: (path, times, options) => setTimes(place, path, times, options),
    canonicalize: (path) => canonicalize(place, path),
    readDirectory: (path, options) => readDirectory(place, path, options),
    walk: (root, options, sink) => walkTree(place, root, options, sink),
    remove: (path, options) => remove(place, path, options),
    copy: (source, destination, options) => copy(place, source, destination, options),
    rename: (from, to) => rename(place, from, to),
    watchMissing: () => null,
    watch: () => null,
  };
}

/** The files of this machine. */
export const localFileSystem: FileSystem = { ...filesOf(wholeMachine), watchMissing, watch };
