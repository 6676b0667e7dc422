import type { ByteString } from "./native_bytes.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Sorted in one go. */
const RUN_NAMES = 1024;
/** Names are compared in portions, so that asking for the time costs nothing beside them. */
const STEPS_PER_LOOK = 128;

interface Named {
  readonly name: ByteString;
}

/** The first of many names in the order of their bytes, sorted in turns with everybody else. */
export class SortedNames<T extends Named> {
  #unsorted: T[] = [];
  /** Each sorted, and longer than those behind it. */
  readonly #runs: T[][] = [];

  /** No more than `most` are kept of each run. */
  constructor(private readonly most: number) {}

  add(one: T): void {
    this.#unsorted.push(one);
  }

  /** There is enough for a run: it is time to tidy up. */
  get isUntidy(): boolean {
    return this.#unsorted.length >= RUN_NAMES;
  }

  async tidy(): Promise<void> {
    let run = sorted(this.#unsorted);
    this.#unsorted = [];
    if (turnIsOver()) await nextTurn();
    // Only with those of its own length: each name is then moved a few times, however many there are.
    while (this.#runs.length > 0 && this.#runs.at(-1)!.length <= run.length) {
      run = await merge(this.#runs.pop()!, run, this.most);
    }
    this.#runs.push(run);
  }

  /** In order; nothing is added any more. */
  async all(): Promise<T[]> {
    let run = sorted(this.#unsorted);
    while (this.#runs.length > 0) run = await merge(this.#runs.pop()!, run, this.most);
    if (run.length > this.most) run.length = this.most;
    return run;
  }
}

function sorted<T extends Named>(names: T[]): T[] {
  return names.sort(({ name }, { name: other }) => name < other ? -1 : name > other ? 1 : 0);
}

async function merge<T extends Named>(some: T[], others: T[], most: number): Promise<T[]> {
  const merged: T[] = [];
  for (let one = 0, other = 0; merged.length < most;) {
    const [a, b] = [some[one], others[other]];
    if (a === undefined && b === undefined) break;
    if (b === undefined || a !== undefined && a.name < b.name) {
      merged.push(a!);
      one++;
    } else {
      merged.push(b);
      other++;
    }
    if (merged.length % STEPS_PER_LOOK === 0 && turnIsOver()) await nextTurn();
  }
  return merged;
}
