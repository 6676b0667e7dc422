import type { NativePath, Soon } from "../fs/file_system.ts";

/** What a call touches: a file handle, or a path and all that is above and below it. */
export type Touched =
  | { readonly handle: string }
  | { readonly path: NativePath; readonly changes: boolean };

export function reads(path: NativePath): Touched[] {
  return [{ path, changes: false }];
}

export function changes(path: NativePath): Touched[] {
  return [{ path, changes: true }];
}

interface Call {
  readonly touched: readonly Touched[];
  readonly done: Promise<unknown>;
}

/**
 * The order of one connection's file calls. A call waits for earlier ones of its connection that touch the same
 * handle, or the same path, one above or one below, where one of the two changes something. Others overlap.
 * Paths are compared by their names: two that meet by way of a link do not know of each other.
 */
export class FileOrder {
  readonly #running = new Set<Call>();

  /** Runs the action at once when there is nothing to wait for. */
  run<T>(touched: readonly Touched[], action: () => Soon<T>): Soon<T> {
    const before = this.#running.size === 0 ? [] : this.#callsBefore(touched);
    const result = before.length === 0 ? action() : Promise.all(before).then(action);
    if (result instanceof Promise) this.#keep(touched, result);
    return result;
  }

  #callsBefore(touched: readonly Touched[]): Promise<unknown>[] {
    return [...this.#running].filter((call) => meet(call.touched, touched)).map(({ done }) => done);
  }

  #keep(touched: readonly Touched[], result: Promise<unknown>): void {
    const forget = (): boolean => this.#running.delete(call);
    const call: Call = { touched, done: result.then(forget, forget) };
    this.#running.add(call);
  }
}

function meet(some: readonly Touched[], others: readonly Touched[]): boolean {
  return some.some((one) => others.some((other) => collide(one, other)));
}

function collide(one: Touched, other: Touched): boolean {
  if ("handle" in one || "handle" in other) {
    return "handle" in one && "handle" in other && one.handle === other.handle;
  }
  if (!one.changes && !other.changes) return false;
  const [a, b] = [namesOf(one.path), namesOf(other.path)];
  // What climbs may be anywhere.
  return a.includes("/../") || b.includes("/../") || a.startsWith(b) || b.startsWith(a);
}

/** With one slash around each name, so that the beginning of a path is what is above it. */
function namesOf(path: NativePath): string {
  const bytes = typeof path === "string"
    ? Buffer.from(path)
    : Buffer.from(path.buffer, path.byteOffset, path.length);
  return `${bytes.toString("latin1")}/`.replace(/\/(?:\.?\/)+/g, "/");
}
