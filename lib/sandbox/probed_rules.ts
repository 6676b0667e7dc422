import { mkdirSync, mkdtempSync, realpathSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytePathOf, child } from "./byte_path.ts";
import type { MountRule, Rules } from "./rules.ts";

/** Rules that take every way that rules have, about a directory of our own, for as long as it is not disposed of. */
export function probedRules(): Disposable & { readonly rules: Rules } {
  const place = makePlace();
  const clear = () => place !== null && clearPlace(place);
  process.once("exit", clear); // whoever is told to end does not wait for us
  return {
    rules: {
      view: "whole-read",
      // Where no place can be made, at least what needs none.
      mounts: place === null ? [] : mountsIn(place),
      links: [],
      network: "restricted",
      whole: { read: true, write: false },
    },
    [Symbol.dispose]() {
      process.off("exit", clear);
      clear();
    },
  };
}

const [DENIED, WRITTEN, MASKED] = ["denied", "written", "masked"];
/** Parents first. */
const MADE = [DENIED, WRITTEN, join(WRITTEN, MASKED)];

function makePlace(): string | null {
  let place: string | null = null;
  try {
    place = mkdtempSync(join(realpathSync(tmpdir()), "exec-server-"));
    for (const name of MADE) mkdirSync(join(place, name));
    return place;
  } catch {
    if (place !== null) clearPlace(place);
    return null;
  }
}

/** One after the other: to remove a whole directory takes descriptors, of which there may be no more. */
function clearPlace(place: string): void {
  for (const path of [...MADE.map((name) => join(place, name)).reverse(), place]) {
    try {
      rmdirSync(path);
    } catch {
      // It was never made, or somebody has tidied up.
    }
  }
}

function mountsIn(place: string): MountRule[] {
  const root = bytePathOf(place);
  const written = child(root, WRITTEN);
  return [
    { kind: "deny-directory", path: child(root, DENIED), reopened: [] },
    { kind: "write", path: written },
    { kind: "absent", path: child(written, MASKED) },
  ];
}
