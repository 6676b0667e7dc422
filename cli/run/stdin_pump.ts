import type { ProcessHandle } from "../../lib/process/backend.ts";
import type { EscapeKeys } from "./escape_keys.ts";
import { KeyQueue } from "./key_queue.ts";

/** How long a full queue that does not move may keep us from the keys; a long paste gets through at the pace of the command. */
const NO_ROOM_MS = 1_000;

export interface StdinOptions {
  /** Set on a terminal: some keys are meant for us. */
  readonly escapes: EscapeKeys | null;
  readonly escaped: (what: "leave" | "help" | "lost") => void;
  /** How the command learns that there is no more. */
  readonly end: (writeId: string) => Promise<unknown> | unknown;
}

/** Carries our stdin to a process, never faster than it takes it, and its end too. */
export class StdinPump {
  readonly #reader = Bun.stdin.stream().getReader();
  readonly #keys = new KeyQueue((bytes) => this.#send(bytes));
  #writes = 0;
  #isStopped = false;

  constructor(private readonly handle: ProcessHandle, private readonly options: StdinOptions) {}

  /** Resolves when there is nothing more to carry, or nobody to carry it to. Rejects when stdin cannot be read. */
  async run(): Promise<void> {
    const { escapes } = this.options;
    const takesMore = escapes === null ? await this.#carry() : await this.#carryKeys(escapes);
    if (takesMore && !this.#isStopped) await this.#try(() => this.options.end(this.#writeId()));
  }

  /** What comes of a read under way is not the end of the input. */
  stop(): void {
    this.#isStopped = true;
    this.#keys.close();
    this.#reader.cancel().catch(() => {});
  }

  async #carry(): Promise<boolean> {
    for (let bytes = await this.#next(); bytes !== null; bytes = await this.#next()) {
      if (await this.#send(bytes)) continue;
      this.stop();
      return false;
    }
    return true;
  }

  /** Reads on while the command takes nothing, and when it never will again: the way out must stay open. */
  async #carryKeys(escapes: EscapeKeys): Promise<boolean> {
    let isFlowing = true;
    for (let bytes = await this.#next(); bytes !== null; bytes = await this.#next()) {
      for (const part of escapes.typed(bytes)) {
        if (part.kind !== "keys") this.options.escaped(part.kind);
        else if (this.#keys.put(part.bytes)) isFlowing = true;
        else if (isFlowing) {
          isFlowing = false;
          this.options.escaped("lost");
        }
      }
      if (this.#keys.isFull && isFlowing) await this.#roomOrPatience();
    }
    const rest = escapes.rest();
    if (rest.length > 0) this.#keys.put(rest);
    return await this.#keys.drained();
  }

  async #roomOrPatience(): Promise<void> {
    let moves = true;
    while (this.#keys.isFull && moves) {
      moves = await Promise.race([
        this.#keys.moved.then(() => true),
        Bun.sleep(NO_ROOM_MS).then(() => false),
      ]);
    }
  }

  /** null at the end, and once we are stopped. */
  async #next(): Promise<Uint8Array | null> {
    const next = await this.#reader.read();
    return next.done || this.#isStopped ? null : next.value;
  }

  #send(bytes: Uint8Array): Promise<boolean> {
    return this.#try(async () => await this.handle.write(bytes, this.#writeId()) === "accepted");
  }

  /** A process that ended, or a link that broke, takes no more; both are told by its log, not here. */
  async #try(action: () => unknown): Promise<boolean> {
    try {
      return await action() !== false;
    } catch {
      return false;
    }
  }

  #writeId(): string {
    return `stdin-${++this.#writes}`;
  }
}
