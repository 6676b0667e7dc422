import type { Clock } from "../base/clock.ts";
import { Caller, type CallOptions, durationText } from "../rpc/caller.ts";
import type { Receiver, Transport } from "../rpc/transport.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { type Inbound, readEnvelope, writeError, writeNotification } from "../wire/envelope.ts";
import { MalformedMessage } from "../wire/parse_json.ts";
import { UNKNOWN_METHOD, WireError } from "../wire/wire_error.ts";
import { LinkKeepalive, SILENCE_MS } from "./link_keepalive.ts";
import { quickOutput } from "./quick_output.ts";
import { newsIn, type ToldNews } from "./wire_events.ts";

export interface LinkListener {
  /** What a process did; may come before anything was asked for. */
  news(news: ToldNews): void;
  /** Something else that was told without being asked. May throw a DecodeError. */
  notice(method: string, params: unknown): void;
  /** A call was answered, or sent: whether one waits may have changed. */
  callsChanged(): void;
  heard(): void;
  /** The last thing that is told. */
  ended(): void;
}

/** One physical connection to a server: calls go out, answers and news come in, silence ends it. */
export class Link implements Receiver {
  readonly #caller: Caller;
  readonly #keepalive: LinkKeepalive;
  /** Resolves when the transport is over for good. */
  readonly whenOver: Promise<void>;
  #tellOver!: () => void;
  #endText: string | null = null;

  constructor(
    private readonly transport: Transport,
    clock: Clock,
    private readonly listener: LinkListener,
  ) {
    this.whenOver = new Promise((resolve) => (this.#tellOver = resolve));
    this.#caller = new Caller(
      (message) => transport.send(message),
      clock,
      () => this.end("no place left for a call that cleans up"),
    );
    this.#keepalive = new LinkKeepalive(
      clock,
      transport,
      () => this.end(`no sign of life for ${durationText(SILENCE_MS)}`),
    );
    transport.receive(this);
  }

  get isOver(): boolean {
    return this.#endText !== null;
  }

  /** What is said of its end: `exec-server transport disconnected`, and the reason where there is one. */
  get endText(): string {
    return this.#endText ?? "exec-server transport disconnected";
  }

  /** True while somebody waits for an answer. */
  get isAwaited(): boolean {
    return this.#caller.pending > 0;
  }

  get isFull(): boolean {
    return this.transport.isFull;
  }

  /** Sends before it returns. Rejects with a WireError or a CallError. */
  call(method: string, params: unknown, options?: CallOptions): Promise<unknown> {
    const answer = this.#caller.call(method, params, options);
    this.listener.callsChanged();
    return answer;
  }

  notify(method: string, params?: unknown): void {
    this.transport.send(writeNotification(method, params));
  }

  pause(): void {
    this.transport.pause();
  }

  resume(): void {
    this.transport.resume();
  }

  ping(): void {
    this.transport.ping();
  }

  /** Ends it from this side: whoever waits for an answer is told at once. */
  end(reason: string): void {
    this.#end(reason);
    this.transport.end();
  }

  message(data: string | Uint8Array): void {
    if (this.isOver) return;
    const output = typeof data === "string" ? quickOutput(data) : null;
    if (output !== null) return this.listener.news(output);
    try {
      this.#take(readEnvelope(typeof data === "string" ? data : textOf(data)));
    } catch (error) {
      if (!(error instanceof MalformedMessage) && !(error instanceof DecodeError)) throw error;
      // What it meant is lost, so what it said cannot be trusted to be complete: a new connection can ask.
      this.end(`malformed message: ${error.message}`);
    }
  }

  heard(): void {
    this.#keepalive.heard();
    this.listener.heard();
  }

  drained(): void {}

  ended(reason: string): void {
    this.#end(reason);
    this.#tellOver();
  }

  #take(inbound: Inbound): void {
    if (inbound.kind === "notification") {
      const news = newsIn(inbound.method, inbound.params);
      if (news !== null) this.listener.news(news);
      else this.listener.notice(inbound.method, inbound.params);
    } else if (inbound.kind === "request") {
      this.#refuse(inbound);
    } else {
      this.#caller.answered(inbound);
      this.listener.callsChanged();
    }
  }

  /** Servers may ask, but there is nothing yet that we could answer. */
  #refuse({ id, method }: Extract<Inbound, { kind: "request" }>): void {
    if (id.startsWith('"')) return this.end("the server sent a request with a string id");
    const text = `exec-server client does not implement \`${method}\` yet`;
    this.transport.send(writeError(id, new WireError(UNKNOWN_METHOD, text)));
  }

  #end(reason: string): void {
    if (this.#endText !== null) return;
    this.#endText = `exec-server transport disconnected${reason === "" ? "" : `: ${reason}`}`;
    this.#keepalive.stop();
    // The state changes first, so that nobody who fails now asks this link again.
    this.listener.ended();
    this.#caller.end(this.#endText);
  }
}

function textOf(data: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new MalformedMessage("invalid UTF-8");
  }
}
