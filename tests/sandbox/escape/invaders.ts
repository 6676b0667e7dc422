import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Who tries to get out. */
export interface Invader {
  readonly name: string;
  /** The words that make a command one of theirs. */
  readonly prefix: readonly string[];
  readonly uid: number;
  readonly isRoot: boolean;
}

export const MAIN = join(import.meta.dir, "../../../main.ts");

const NOBODY = 65_534;
const AS_NOBODY = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

const own = process.geteuid?.() ?? -1;

/** Root can be somebody else too, where others may read these files. */
export function invaders(): Invader[] {
  const ourselves = {
    name: own === 0 ? "root" : "an ordinary user",
    prefix: [],
    uid: own,
    isRoot: own === 0,
  };
  if (own !== 0) return [ourselves];
  if (Bun.which("setpriv") === null || Bun.spawnSync([...AS_NOBODY, "test", "-r", MAIN]).exitCode !== 0) {
    console.warn(
      "escape: not tried as an ordinary user: setpriv is missing, or these files are root's alone",
    );
    return [ourselves];
  }
  return [ourselves, { name: "an ordinary user", prefix: AS_NOBODY, uid: NOBODY, isRoot: false }];
}

/** A setting of the kernel, null where it has none of that name. */
export function setting(name: string): string | null {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").trim();
  } catch {
    return null;
  }
}

export function needsRoot(what: string): (invader: Invader) => string | null {
  return ({ isRoot }) => isRoot ? null : `an ordinary user has no ${what}`;
}
