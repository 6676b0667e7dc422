import { closeSync } from "node:fs";
import { addInotifyWatch, openInotify, removeInotifyWatch } from "./libc.ts";

/** What can happen to a directory or file, as Linux numbers it. */
export const HAPPENING = {
  modified: 0x2,
  attributes: 0x4,
  movedFrom: 0x40,
  movedTo: 0x80,
  created: 0x100,
  deleted: 0x200,
  deletedItself: 0x400,
  movedItself: 0x800,
  unmounted: 0x2000,
  overflow: 0x4000,
  ignored: 0x8000,
} as const;

export interface Happening {
  readonly mask: number;
  /** Of the entry it happened to, one byte a character; empty for the watched thing itself. */
  readonly name: string;
}

type Listener = (happening: Happening) => void;

/**
 * The system's own notice of changes: one for the whole program, because each is a scarce good. It is open while
 * somebody listens.
 */
class Inotify {
  readonly #listeners = new Map<number, Set<Listener>>();
  #source: { readonly fd: number; readonly reader: ReadableStreamDefaultReader<Uint8Array> } | null = null;

  /** Hears of these events at a path until stopped. Throws FsError. */
  watch(path: Uint8Array, events: number, listener: Listener): () => void {
    const fd = this.#open();
    try {
      const watch = addInotifyWatch(fd, path, events);
      const listeners = this.#listeners.get(watch) ?? new Set();
      this.#listeners.set(watch, listeners.add(listener));
      return () => this.#stop(fd, watch, listener);
    } catch (error) {
      this.#closeUnused();
      throw error;
    }
  }

  #stop(fd: number, watch: number, listener: Listener): void {
    if (fd !== this.#source?.fd) return;
    const listeners = this.#listeners.get(watch);
    if (!listeners?.delete(listener) || listeners.size > 0) return;
    this.#listeners.delete(watch);
    removeInotifyWatch(fd, watch);
    this.#closeUnused();
  }

  #open(): number {
    if (this.#source !== null) return this.#source.fd;
    const fd = openInotify();
    const reader = Bun.file(fd).stream().getReader();
    this.#source = { fd, reader };
    void this.#listen(reader);
    return fd;
  }

  #closeUnused(): void {
    if (this.#source === null || this.#listeners.size > 0) return;
    const { fd, reader } = this.#source;
    this.#source = null;
    void reader.cancel(); // it reads from a descriptor of its own, and would keep the program alive
    closeSync(fd);
  }

  async #listen(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || reader !== this.#source?.reader) return;
      this.#tell(value);
    }
  }

  /** `struct inotify_event`: watch (4), mask (4), cookie (4), length (4), the name, padded with NULs. */
  #tell(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 16 <= bytes.length;) {
      const [watch, mask, length] = [
        view.getInt32(at, true),
        view.getUint32(at + 4, true),
        view.getUint32(at + 12, true),
      ];
      const name = Buffer.from(bytes.subarray(at + 16, at + 16 + length)).toString("latin1").replace(
        /\0+$/,
        "",
      );
      const listeners = watch === -1
        ? [...this.#listeners.values()].flatMap((set) => [...set])
        : this.#listeners.get(watch);
      for (const listener of [...listeners ?? []]) listener({ mask, name });
      if (mask & HAPPENING.ignored) this.#listeners.delete(watch);
      at += 16 + length;
    }
  }
}

export const inotify = new Inotify();
