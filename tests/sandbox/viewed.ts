import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { beneath } from "../../lib/fs/local/beneath.ts";
import { filesOf } from "../../lib/fs/local/local_file_system.ts";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import { holdView } from "../../lib/sandbox/hold.ts";
import type { MountRule, Rules } from "../../lib/sandbox/rules.ts";
import type { PinnedView } from "../../lib/sandbox/view.ts";
import { mechanism, rulesOf } from "./confined.ts";

export const OUTSIDE = "OUTSIDE";

/** Two directories: one to be confined to, and one with something in it that nobody is to reach. */
export class Grounds implements Disposable {
  readonly #root = realpathSync(mkdtempSync(join(tmpdir(), "viewed-")));
  readonly work = `${this.#root}/work`;
  readonly outside = `${this.#root}/outside`;

  constructor() {
    for (const directory of [this.work, `${this.outside}/directory`]) {
      mkdirSync(directory, { recursive: true });
    }
    writeFileSync(`${this.outside}/file`, OUTSIDE);
    writeFileSync(`${this.outside}/directory/file`, OUTSIDE);
  }

  at(name: string): string {
    return `${this.work}/${name}`;
  }

  put(name: string, text = name): string {
    mkdirSync(join(this.at(name), ".."), { recursive: true });
    writeFileSync(this.at(name), text);
    return this.at(name);
  }

  rule(kind: Exclude<MountRule["kind"], "deny-directory">, name = ""): MountRule {
    return { kind, path: bytePathOf(name === "" ? this.work : this.at(name)) };
  }

  closed(name: string, ...reopened: string[]): MountRule {
    return {
      kind: "deny-directory",
      path: bytePathOf(this.at(name)),
      reopened: reopened.map((path) => bytePathOf(this.at(path))),
    };
  }

  /** All that is outside, as text. */
  get seenOutside(): string {
    const names = readdirSync(this.outside, { recursive: true, encoding: "utf8" }).toSorted();
    return names.map((name) => {
      const path = `${this.outside}/${name}`;
      return name.endsWith("file") ? `${name}: ${readFileSync(path, "utf8")}` : name;
    }).join("\n");
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

export interface Viewed extends Disposable {
  readonly files: FileSystem;
  readonly view: PinnedView;
}

export async function viewed(mounts: readonly MountRule[], rest: Partial<Rules> = {}): Promise<Viewed> {
  const view = await holdView(rulesOf(mounts, rest), mechanism!);
  const files = filesOf(beneath({ fd: view.root, masks: view.masks }));
  return { files, view, [Symbol.dispose]: () => view.close() };
}
