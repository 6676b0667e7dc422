import { closeSync, openSync, readFileSync } from "node:fs";
import { FFIType, ptr } from "bun:ffi";
import { cLibrary } from "../../base/c_library.ts";
import { lastError } from "./libc.ts";
import type { ByteString } from "./native_bytes.ts";
import { now } from "./system_call.ts";

declare module "bun" {
  // The runtime takes it; its types have the options, and not this.
  function connect<Data = undefined>(options: FdSocketOptions<Data>): Promise<Socket<Data>>;
}

const MOUNTS = "/proc/self/mountinfo";
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
/** How the list of mounts says that it has changed since it was last asked: EPOLLPRI and EPOLLERR. */
const CHANGED = 0x2 | 0x8;

const libc = cLibrary({
  epoll_create1: { args: [FFIType.i32], returns: FFIType.i32 },
  epoll_ctl: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
});

/** Where something was mounted or unmounted; null: nobody knows where. */
type Listener = (places: ReadonlySet<ByteString> | null) => void;

interface Ear {
  readonly list: number;
  /** The lines of the list when it was last read. */
  known: ReadonlySet<string>;
}

/**
 * The system's notice that something was mounted or unmounted, which shows in no directory: one for the whole program,
 * open while somebody listens.
 */
class MountWatch {
  readonly #listeners = new Set<Listener>();
  #ear: Ear | null = null;
  #deafen: () => void = () => {};

  /** Hears of every mount until stopped. Throws FsError where nobody would tell. */
  watch(listener: Listener): () => void {
    if (this.#ear === null) this.#begin();
    this.#listeners.add(listener);
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#end();
    };
  }

  #begin(): void {
    const list = now(() => openSync(MOUNTS, "r")); // it counts the changes from here on
    try {
      this.#ear = { list, known: readMounts() };
      this.#listen(this.#ear);
    } catch (error) {
      this.#ear = null;
      closeSync(list);
      throw error;
    }
  }

  #end(): void {
    const ear = this.#ear!;
    this.#ear = null;
    this.#deafen();
    closeSync(ear.list);
  }

  /**
   * The runtime polls sockets for something to read and nothing for what the list has to tell. So it is given the
   * poll set that holds the list for a socket: it finds out that there is nothing to be read from it, and closes it,
   * when the list has changed. Then there is another one.
   */
  #listen(ear: Ear): void {
    const set = libc().epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) throw lastError();
    const event = new Uint8Array(16);
    new DataView(event.buffer).setUint32(0, CHANGED, true);
    if (libc().epoll_ctl(set, EPOLL_CTL_ADD, ear.list, ptr(event)) !== 0) {
      const error = lastError();
      closeSync(set);
      throw error;
    }
    const heard = () => {
      if (ear === this.#ear) this.#heard(ear);
    };
    const socket = Bun.connect({ fd: set, socket: { data() {}, error() {}, close: heard } });
    socket.catch(heard);
    this.#deafen = () => void socket.then((open) => open.terminate(), () => {});
  }

  #heard(ear: Ear): void {
    let places: ReadonlySet<ByteString> | null = null;
    try {
      this.#listen(ear); // first: what changes from here on is told again
      const known = readMounts();
      places = differences(ear.known, known);
      ear.known = known;
    } finally {
      for (const listener of [...this.#listeners]) listener(places);
    }
  }
}

export const mountWatch = new MountWatch();

function readMounts(): Set<string> {
  return new Set(now(() => readFileSync(MOUNTS, "latin1")).split("\n"));
}

/** null for none: what came and went between two looks may have been anywhere. */
function differences(before: ReadonlySet<string>, after: ReadonlySet<string>): Set<ByteString> | null {
  const lines = [...before.symmetricDifference(after)];
  return lines.length === 0 ? null : new Set(lines.map(mountPoint));
}

/** The fifth word of a line, where four characters stand written in octal. */
function mountPoint(line: string): ByteString {
  const written = line.split(" ")[4] ?? "/";
  return written.replace(
    /\\([0-7]{3})/g,
    (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
  ) as ByteString;
}
