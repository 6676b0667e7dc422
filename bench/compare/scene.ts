import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { join } from "@std/path";

/** What the cases share: a directory that is gone afterwards, and an HTTP origin for those who ask. */
export class Scene implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "exec-server-bench-"));
  #origin: { url: Promise<string>; child: Bun.Subprocess } | null = null;
  #lastName = 0;

  constructor() {
    // Also where somebody has had enough and types Ctrl-C: this is most of a gigabyte.
    process.once("exit", this.#remove);
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  uri(...names: string[]): string {
    return pathToFileURL(this.path(...names)).href;
  }

  /** A name that no case had before. */
  newName(prefix: string): string {
    return `${prefix}-${++this.#lastName}`;
  }

  /** Random bytes: what compresses would flatter whoever compresses. */
  async file(name: string, size: number): Promise<void> {
    if (existsSync(this.path(name))) return;
    const piece = new Uint8Array(Math.min(size, 1 << 20));
    for (let at = 0; at < piece.length; at += 65_536) {
      crypto.getRandomValues(piece.subarray(at, at + 65_536));
    }
    const writer = Bun.file(this.path(name)).writer();
    for (let left = size; left > 0; left -= piece.length) {
      writer.write(piece.subarray(0, Math.min(left, piece.length)));
      await writer.flush();
    }
    await writer.end();
  }

  /** A directory of directories with files of this size in each. */
  async tree(name: string, directories: number, filesEach: number, size = 0): Promise<void> {
    if (existsSync(this.path(name))) return;
    const content = new Uint8Array(size);
    for (let d = 0; d < directories; d++) {
      mkdirSync(this.path(name, `d${d}`), { recursive: true });
      for (let f = 0; f < filesEach; f++) await Bun.write(this.path(name, `d${d}`, `f${f}`), content);
    }
  }

  /** The URL of an origin in a process of its own, so that it does not share the client's thread. */
  origin(): Promise<string> {
    this.#origin ??= startOrigin();
    return this.#origin.url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#origin?.child.kill();
    await this.#origin?.child.exited;
    process.off("exit", this.#remove);
    this.#remove();
  }

  readonly #remove = () => {
    this.#origin?.child.kill();
    rmSync(this.directory, { recursive: true, force: true });
  };
}

function startOrigin() {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "origin.ts")], { stdout: "pipe" });
  const url = child.stdout.getReader().read().then(({ value }) => new TextDecoder().decode(value).trim());
  return { child, url };
}
