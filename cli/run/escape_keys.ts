const NEWLINES = [0x0a, 0x0d];
const DOT = ".".charCodeAt(0);
const QUESTION = "?".charCodeAt(0);

export type Typed =
  | { readonly kind: "keys"; readonly bytes: Uint8Array }
  | { readonly kind: "leave" }
  | { readonly kind: "help" };

/**
 * Finds `~.` and `~?` at the beginning of a line in what is typed; `~~` there is one `~`. What only looks like the
 * beginning of an escape is held back until the next key tells.
 */
export class EscapeKeys {
  #state: "line start" | "in line" | "escape" = "line start";

  constructor(private readonly escape: number) {}

  /** Splits what was typed into what the command gets and what is meant for us. After `leave` nothing follows. */
  typed(bytes: Uint8Array): Typed[] {
    const found: Typed[] = [];
    let kept: number[] = [];
    const flush = () => {
      if (kept.length > 0) found.push({ kind: "keys", bytes: Uint8Array.from(kept) });
      kept = [];
    };
    for (const byte of bytes) {
      if (this.#state === "escape") {
        if (byte === DOT || byte === QUESTION) {
          flush();
          this.#state = "line start";
          found.push({ kind: byte === DOT ? "leave" : "help" });
          if (byte === DOT) return found;
          continue;
        }
        kept.push(this.escape);
        this.#state = "in line";
        if (byte === this.escape) continue;
      } else if (this.#state === "line start" && byte === this.escape) {
        this.#state = "escape";
        continue;
      }
      kept.push(byte);
      this.#state = NEWLINES.includes(byte) ? "line start" : "in line";
    }
    flush();
    return found;
  }

  /** What is still held back when no more keys will come. */
  rest(): Uint8Array {
    const held = this.#state === "escape" ? Uint8Array.of(this.escape) : new Uint8Array();
    this.#state = "in line";
    return held;
  }
}
