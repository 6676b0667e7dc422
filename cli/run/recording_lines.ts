import type { TerminalSize } from "../../lib/process/backend.ts";
import { WholeText } from "./whole_text.ts";

/** What a recording tells before its first event. */
export interface RecordingHeader {
  readonly size: TerminalSize;
  /** As in TERM. */
  readonly terminalType: string | null;
  readonly shell: string | null;
  /** Seconds since 1970. */
  readonly startedAt: number | null;
}

export type RecordingEvent =
  | { readonly kind: "output"; readonly bytes: Uint8Array }
  | { readonly kind: "resize"; readonly size: TerminalSize }
  /** A place that a viewer can jump to. */
  | { readonly kind: "marker"; readonly label: string }
  /** In the place of output that nobody keeps any more; null is an unknown number of bytes. */
  | { readonly kind: "gap"; readonly bytes: number | null }
  /** The last event; null where the command's own end was not seen. */
  | { readonly kind: "end"; readonly exitCode: number | null };

/**
 * A terminal's story as the lines of asciicast v3 (docs.asciinema.org/manual/asciicast/v3). Knows no clock and no
 * file: whoever has events and their times can use it. What is not UTF-8 becomes U+FFFD, for the format holds text.
 */
export class RecordingLines {
  readonly #text = new WholeText();
  #toldMs = 0;

  /**
   * The first line. Neither the command's words nor its variables are in it: recordings are made to be shown around,
   * and secrets travel in both.
   */
  static header({ size, terminalType, shell, startedAt }: RecordingHeader): string {
    return `${
      JSON.stringify({
        version: 3,
        term: { cols: size.cols, rows: size.rows, ...(terminalType === null ? {} : { type: terminalType }) },
        ...(startedAt === null ? {} : { timestamp: startedAt }),
        ...(shell === null ? {} : { env: { SHELL: shell } }),
      })
    }\n`;
  }

  /** The lines of an event that happened so long after the beginning; none where it is not a whole character yet. */
  of(event: RecordingEvent, ms: number): string {
    switch (event.kind) {
      case "output":
        return this.#output(this.#text.take(event.bytes), ms);
      case "resize":
        return this.#line(ms, "r", `${event.size.cols}x${event.size.rows}`);
      case "marker":
        return this.#line(ms, "m", event.label);
      case "gap": {
        const much = event.bytes === null ? "some" : `${event.bytes} bytes`;
        return this.#rest(ms) + this.#line(ms, "m", `${much} of the output is missing`);
      }
      case "end":
        return this.#rest(ms) + (event.exitCode === null ? "" : this.#line(ms, "x", String(event.exitCode)));
    }
  }

  #rest(ms: number): string {
    return this.#output(this.#text.rest(), ms);
  }

  #output(bytes: Uint8Array, ms: number): string {
    if (bytes.length === 0) return "";
    return this.#line(ms, "o", new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  }

  /** The interval is what the lines so far have not told, so that roundings never add up. */
  #line(ms: number, code: "o" | "r" | "m" | "x", data: string): string {
    const interval = Math.max(0, Math.round(ms) - this.#toldMs);
    this.#toldMs += interval;
    // With a point always: readers exist that refuse a number without one.
    return `[${(interval / 1000).toFixed(3)}, "${code}", ${JSON.stringify(data)}]\n`;
  }
}
