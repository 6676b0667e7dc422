import type { Account, Leftover, Outcome, Usage } from "../../lib/process/outcome.ts";
import type { Stream } from "../../lib/process/process_event.ts";
import { CommandError } from "../exit_status.ts";
import type { OutputSink } from "./pump.ts";
import { WholeText } from "./whole_text.ts";
import { writeAll } from "./write_all.ts";

const STDOUT = 1;

/** What `--json` prints, one a line; each also carries `ms`, counted from our start. */
export type JsonEvent =
  | { readonly event: "start"; readonly id: string; readonly argv: readonly string[]; readonly on: string }
  /** `text` where the bytes are UTF-8, else `base64`. */
  | { readonly event: Stream; readonly text: string }
  | { readonly event: Stream; readonly base64: string }
  | {
    readonly event: "reconnect";
    readonly state: "lost" | "back";
    readonly attempt?: number;
    readonly cause?: string;
  }
  /** So many bytes of output were not kept; null where nobody knows how many. */
  | { readonly event: "gap"; readonly bytes: number | null }
  | { readonly event: "limit"; readonly limit: string; readonly limitMs: number }
  /** `sandboxDenied`: its sandbox was most likely the reason. The rest is missing where the server does not tell it. */
  | {
    readonly event: "exit";
    readonly code: number;
    readonly sandboxDenied?: true;
    readonly outcome?: Outcome;
    readonly usage?: Usage;
    readonly leftovers?: { readonly count: number; readonly first: readonly Leftover[] };
  }
  | { readonly event: "closed" }
  | {
    readonly event: "error";
    readonly message: string;
    readonly hint: string | null;
    readonly status: number;
  };

/** The events of one run on stdout. Each resolves when it is written, and they never mix. */
export class JsonEvents implements OutputSink {
  readonly #texts = new Map<Stream, WholeText>();
  readonly #startedAt = performance.now();
  #written: Promise<void> = Promise.resolve();

  tell(event: JsonEvent): Promise<void> {
    const ms = Math.round(performance.now() - this.#startedAt);
    const line = new TextEncoder().encode(`${JSON.stringify({ ...event, ms })}\n`);
    this.#written = this.#written.then(() => writeAll(STDOUT, line));
    // Whoever tells awaits it; the next in line must not fail for it as well.
    this.#written.catch(() => {});
    return this.#written;
  }

  output(stream: Stream, bytes: Uint8Array): Promise<void> {
    const text = this.#texts.get(stream) ?? new WholeText();
    this.#texts.set(stream, text);
    return this.#tellBytes(stream, text.take(bytes));
  }

  async gap(bytes: number | null): Promise<void> {
    await this.flush();
    await this.tell({ event: "gap", bytes });
  }

  async exited(code: number, sandboxDenied: boolean, account: Account | null): Promise<void> {
    await this.flush();
    const { outcome, usage, leftovers = null } = account ?? {};
    await this.tell({
      ...{ event: "exit", code },
      ...(sandboxDenied ? { sandboxDenied } : {}),
      ...(outcome === undefined ? {} : { outcome }),
      ...(usage === undefined ? {} : { usage }),
      ...(leftovers === null ? {} : { leftovers }),
    });
  }

  async closed(): Promise<void> {
    await this.flush();
    await this.tell({ event: "closed" });
  }

  /** The run ends without the command's own end. */
  failed(error: unknown, status: number): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof CommandError ? error.hint : null;
    return this.tell({ event: "error", message, hint, status });
  }

  /** Tells what was held back in the hope for the rest of a character. */
  async flush(): Promise<void> {
    for (const [stream, text] of this.#texts) await this.#tellBytes(stream, text.rest());
  }

  async #tellBytes(stream: Stream, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const text = asText(bytes);
    await this.tell(
      text === null
        ? { event: stream, base64: Buffer.from(bytes).toString("base64") }
        : { event: stream, text },
    );
  }
}

function asText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
