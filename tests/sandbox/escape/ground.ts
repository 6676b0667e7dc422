import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Invader } from "./invaders.ts";

/** Not in /tmp, which profiles make writable for its own sake. */
const PLACE = "/var/tmp";

/** A workspace, and beside it what nobody in the workspace's sandbox may touch. Both belong to the invader. */
export class Ground implements Disposable {
  readonly path = mkdtempSync(join(PLACE, "escape-"));
  /** May be written in the sandbox. */
  readonly work = join(this.path, "work");
  /** May not; has `file`, with "before" in it. */
  readonly outside = join(this.path, "outside");

  constructor({ uid }: Invader) {
    for (const directory of [this.work, this.outside, join(this.work, ".git/hooks")]) {
      mkdirSync(directory, { recursive: true });
    }
    writeFileSync(join(this.outside, "file"), "before");
    writeFileSync(join(this.work, ".git/config"), "before");
    for (const path of this.#everything()) {
      chownSync(path, uid, uid);
      chmodSync(path, lstatSync(path).isDirectory() ? 0o755 : 0o644);
    }
  }

  /** All that there is to be seen from the host of what must not change. */
  get untouchable(): string {
    const kept = [this.outside, join(this.work, ".git")].flatMap(below).map((path) => {
      const { mode, mtimeMs, ino, nlink, uid, gid } = lstatSync(path);
      const text = lstatSync(path).isFile() ? readFileSync(path, "latin1") : "";
      return [path, mode, mtimeMs, ino, nlink, uid, gid, text].join(" ");
    });
    return [...kept, ...readdirSync(this.work).filter((name) => name.startsWith("."))].join("\n");
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #everything(): string[] {
    return below(this.path);
  }
}

function below(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path).sort().flatMap((name) => below(join(path, name)))];
}
