import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";

/** How many starts are remembered: a client repeats only what it sent last. */
const REMEMBERED_STARTS = 4_096;

interface First<Started> {
  readonly digest: string;
  readonly started: Started | Promise<Started>;
}

/** Remembers which starts were made, so that a repeat after a lost answer does not run the command twice. */
export class StartLedger<Started> {
  readonly #firsts = new Map<string, First<Started>>();

  /**
   * The start that this one repeats, running or not any more; null where it is the first. Throws a WireError where the same
   * id was something else, or where nobody knows any more what became of it.
   */
  repeated(
    startId: string,
    digest: string,
    isKnown: (started: Started) => boolean,
  ): First<Started>["started"] | null {
    const first = this.#firsts.get(startId);
    if (first === undefined) return null;
    if (first.digest !== digest) {
      throw new WireError(INVALID_PARAMS, `start id ${startId} was given to another start`);
    }
    if (!(first.started instanceof Promise) && !isKnown(first.started)) {
      throw new WireError(INVALID_REQUEST, `start ${startId} has ended and is not known any more`);
    }
    return first.started;
  }

  /** One that fails did not happen. */
  note(startId: string, digest: string, started: First<Started>["started"]): void {
    const first: First<Started> = { digest, started };
    this.#firsts.set(startId, first);
    if (this.#firsts.size > REMEMBERED_STARTS) this.#firsts.delete(this.#firsts.keys().next().value!);
    if (!(started instanceof Promise)) return;
    started.then(
      (running) => this.#settle(startId, first, { digest, started: running }),
      () => this.#settle(startId, first, null),
    );
  }

  #settle(startId: string, from: First<Started>, to: First<Started> | null): void {
    if (this.#firsts.get(startId) !== from) return;
    if (to === null) this.#firsts.delete(startId);
    else this.#firsts.set(startId, to);
  }
}

/** Two starts with the same are the same. */
export function digestOfStart(params: object): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(params)).digest("base64");
}
