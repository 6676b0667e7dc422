import type { FileSystem } from "../file_system.ts";
import { append } from "./append.ts";
import { setMode, setTimes } from "./attributes.ts";
import { copy } from "./copy_tree.ts";
import { canonicalize, createDirectory, readDirectory } from "./directories.ts";
import { createSymlink, rename } from "./directory_names.ts";
import { openFile } from "./local_open_file.ts";
import { getMetadata } from "./metadata.ts";
import { readFile } from "./read_file.ts";
import { remove } from "./remove_tree.ts";
import { walkTree } from "./walk_tree.ts";
import { watch } from "./watch.ts";
import { watchMissing } from "./watch_missing.ts";
import { writeFile } from "./write_in_place.ts";

/**
 * The files of this machine. Small things are done at once; large files off the main thread, and large trees in
 * turns with everybody else.
 */
export const localFileSystem: FileSystem = {
  abilities: () => ({ beyondCodex: true }),
  readFile,
  writeFile,
  append,
  open: openFile,
  createDirectory,
  createSymlink,
  getMetadata,
  setMode,
  setTimes,
  canonicalize,
  readDirectory,
  walk: walkTree,
  remove,
  copy,
  rename,
  watchMissing,
  watch,
};
