import type { Clock } from "../../lib/base/clock.ts";
import type { ProcessHandle } from "../../lib/process/backend.ts";
import type { Follower } from "../../lib/process/event_log.ts";
import type { Account } from "../../lib/process/outcome.ts";
import type { ProcessEvent, Stream } from "../../lib/process/process_event.ts";
import { Bell } from "./bell.ts";

/** Small chunks of one stream are written together up to this size: a line a write would cost more than the line. */
const TOGETHER_BYTES = 128 * 1024;

/** After the exit only somebody else can hold the output open: so much silence, or so much time, is enough. */
const SILENCE_MS = 250;
const PATIENCE_MS = 2_000;
/** More than pipes and log can hold of what the command itself printed before its exit. */
const LAST_WORDS_BYTES = 1024 * 1024;

/** Where a command's output goes. Resolves when it is taken; the command waits as long. */
export interface OutputSink {
  output(stream: Stream, bytes: Uint8Array): Promise<void>;
  /** In the place of output that its server does not keep any more; null is an unknown number of bytes. */
  gap(bytes: number | null): Promise<void>;
  /** `account` is null where a plain Codex server told it. */
  exited(exitCode: number, sandboxDenied: boolean, account: Account | null): Promise<void>;
  closed(): Promise<void>;
}

export type PumpEnd =
  /** Everything it printed was delivered. `closed` is false when somebody still holds its output. */
  | { readonly kind: "exited"; readonly exitCode: number; readonly closed: boolean }
  /** The way to it was lost; `exitCode` where that was known before. */
  | { readonly kind: "lost"; readonly message: string; readonly exitCode: number | null };

export interface PumpOptions {
  readonly clock: Clock;
  /** Wait for the last holder of the output. */
  readonly waitClosed: boolean;
  /** False while nothing can arrive, so that silence says nothing. */
  readonly isHeard: () => boolean;
}

/**
 * Carries what a process does to a sink, in order, never ahead of it. Rejects as the sink does, and then holds the
 * process back no more.
 */
export async function pump(handle: ProcessHandle, sink: OutputSink, options: PumpOptions): Promise<PumpEnd> {
  const { clock } = options;
  const bell = new Bell();
  const follower = handle.log.follow(0, () => bell.ring());
  const events = new Gathered(follower);
  let exit: { readonly code: number; readonly at: number; wordsSince: number } | null = null;
  try {
    while (true) {
      const event = events.take();
      if (event === null) {
        const failure = follower.failure();
        const exitCode = exit?.code ?? null;
        if (failure !== null) return { kind: "lost", message: failure.message, exitCode };
        if (exit === null || options.waitClosed) {
          await bell.rung(clock, null);
          continue;
        }
        const patience = Math.max(0, exit.at + PATIENCE_MS - clock.now());
        const isSilent = !await bell.rung(
          clock,
          options.isHeard() ? Math.min(SILENCE_MS, patience) : SILENCE_MS,
        );
        if (isSilent && options.isHeard() && await isAll(handle, follower)) {
          return { kind: "exited", exitCode: exit.code, closed: false };
        }
      } else if (event.type === "output") {
        await sink.output(event.stream, event.bytes);
        if (exit === null || options.waitClosed) continue;
        exit.wordsSince += event.bytes.length;
        if (exit.wordsSince > LAST_WORDS_BYTES && clock.now() > exit.at + PATIENCE_MS) {
          return { kind: "exited", exitCode: exit.code, closed: false };
        }
      } else if (event.type === "exited") {
        exit = { code: event.exitCode, at: clock.now(), wordsSince: 0 };
        await sink.exited(event.exitCode, event.sandboxDenied, event.account ?? null);
      } else if (event.type === "gap") {
        await sink.gap(event.bytes);
      } else {
        await sink.closed();
        return { kind: "exited", exitCode: exit?.code ?? -1, closed: true };
      }
    }
  } finally {
    follower.leave();
  }
}

/** Silence may be a slow line: only the place itself knows that there is nothing more. */
async function isAll(handle: ProcessHandle, follower: Follower): Promise<boolean> {
  const cursor = follower.cursor;
  try {
    const page = await handle.read(
      { afterSeq: cursor, maxBytes: 1, waitMs: 0 },
      new AbortController().signal,
    );
    return page.chunks.length === 0 && follower.cursor === cursor && handle.log.nextSeq === cursor + 1;
  } catch {
    // Then the log tells why, or nobody there knows it any more; it has told its exit already.
    return handle.log.failed === null;
  }
}

/** A log's events, small neighbours of one stream joined. */
class Gathered {
  #next: ProcessEvent | null = null;

  constructor(private readonly follower: Follower) {}

  take(): ProcessEvent | null {
    const first = this.#next ?? this.follower.take();
    this.#next = null;
    if (first?.type !== "output") return first;
    const parts = [first.bytes];
    let bytes = first.bytes.length;
    while (bytes < TOGETHER_BYTES) {
      this.#next = this.follower.take();
      if (this.#next?.type !== "output" || this.#next.stream !== first.stream) break;
      parts.push(this.#next.bytes);
      bytes += this.#next.bytes.length;
      this.#next = null;
    }
    return parts.length === 1 ? first : { ...first, bytes: Buffer.concat(parts) };
  }
}
