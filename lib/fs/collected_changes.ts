import { type Change, MAX_CHANGED_NAMES, type NativePath } from "./file_system.ts";

/** Changes of one watch that nobody was told yet, together; no more of them than may be named. */
export class CollectedChanges {
  readonly #names = new Map<string, NativePath>();
  #isEmpty = true;
  #overflow = false;
  #ended = false;

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  add({ names, overflow, ended }: Change): void {
    this.#isEmpty = false;
    this.#overflow ||= overflow;
    this.#ended ||= ended;
    for (const name of names) {
      const key = keyOf(name);
      if (this.#names.size < MAX_CHANGED_NAMES) this.#names.set(key, name);
      else if (!this.#names.has(key)) this.#overflow = true;
    }
  }

  /** All of them; it is empty then. */
  take(): Change {
    const change = { names: [...this.#names.values()], overflow: this.#overflow, ended: this.#ended };
    this.#names.clear();
    this.#isEmpty = true;
    this.#overflow = false;
    this.#ended = false;
    return change;
  }
}

/** Names hold no NUL, so that bytes are never taken for a text. */
function keyOf(name: NativePath): string {
  return typeof name === "string" ? name : `\0${Buffer.from(name).toString("latin1")}`;
}
