import type { ProcessHandle } from "../../lib/process/backend.ts";
import type { EscapeKeys } from "./escape_keys.ts";

export interface StdinOptions {
  /** Set on a terminal: some keys are meant for us. */
  readonly escapes: EscapeKeys | null;
  readonly escaped: (what: "leave" | "help") => void;
  /** How the command learns that there is no more. */
  readonly end: (writeId: string) => Promise<unknown> | unknown;
}

/** Carries our stdin to a process, never faster than it takes it, and its end too. */
export class StdinPump {
  readonly #reader = Bun.stdin.stream().getReader();
  #writes = 0;

  constructor(private readonly handle: ProcessHandle, private readonly options: StdinOptions) {}

  /** Resolves when there is nothing more to carry, or nobody to carry it to. Rejects when stdin cannot be read. */
  async run(): Promise<void> {
    while (true) {
      const next = await this.#reader.read();
      if (next.done) break;
      if (!await this.#typed(next.value)) return this.stop();
    }
    const rest = this.options.escapes?.rest() ?? new Uint8Array();
    if (rest.length > 0 && !await this.#send(rest)) return;
    await this.#try(() => this.options.end(this.#writeId()));
  }

  stop(): void {
    this.#reader.cancel().catch(() => {});
  }

  async #typed(bytes: Uint8Array): Promise<boolean> {
    const { escapes } = this.options;
    if (escapes === null) return await this.#send(bytes);
    for (const part of escapes.typed(bytes)) {
      if (part.kind !== "keys") this.options.escaped(part.kind);
      else if (!await this.#send(part.bytes)) return false;
    }
    return true;
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
