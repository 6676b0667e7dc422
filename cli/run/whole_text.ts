const NOTHING = new Uint8Array();

/** Cuts a stream of bytes only between UTF-8 characters: the beginning of one waits for its rest. */
export class WholeText {
  #held: Uint8Array = NOTHING;

  take(bytes: Uint8Array): Uint8Array {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const whole = all.length - unfinished(all);
    this.#held = all.slice(whole);
    return all.subarray(0, whole);
  }

  /** What is held back when no more will come. */
  rest(): Uint8Array {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }
}

/** How many bytes at the end are the beginning of a character. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue; // in the middle of one
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}
