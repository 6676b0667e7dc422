import { openSync, realpathSync } from "node:fs";
import { FsError } from "../fs_error.ts";
import { HeldDirectory } from "./held_directory.ts";
import { namesOf } from "./no_follow.ts";
import type { Place, Spot, SystemPath } from "./place.ts";
import { now } from "./system_call.ts";

/** Paths lead where the system says. */
export const wholeMachine: Place = {
  open,
  target: (path) => ({ path, [Symbol.dispose]: nothing }),
  spot: (path, links = "follow") => links === "follow" ? named(path, nothing) : withoutLinks(path),
  spotIn: (directory, name) => named(directory.path(name), nothing),
  canonical: (path) => now(() => realpathSync.native(path, { encoding: "buffer" })),
};

function open(path: SystemPath, flags: number, mode?: number): number {
  return now(() => openSync(path, flags, mode));
}

function nothing(): void {}

function named(path: SystemPath, letGo: () => void): Spot {
  return {
    path,
    open: (flags, mode) => open(path, flags, mode),
    checkMovable: nothing,
    [Symbol.dispose]: letGo,
  };
}

/** Goes from the root through all names but the last. */
function withoutLinks(path: SystemPath): Spot {
  if (!HeldDirectory.isSure) {
    throw new FsError("unsupported", "paths cannot be used without following links on this machine");
  }
  const names = namesOf(path);
  const last = names.pop() ?? "";
  let parent = HeldDirectory.open(wholeMachine, named("/", nothing));
  for (const name of names) {
    using above = parent;
    parent = above.enter(name);
  }
  return named(parent.path(last), () => parent[Symbol.dispose]());
}
