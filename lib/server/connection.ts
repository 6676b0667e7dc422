import type { Clock } from "../base/clock.ts";
import { type Answer, type Answerer, Dispatcher, type Request } from "../rpc/dispatcher.ts";
import { Keepalive } from "../rpc/keepalive.ts";
import { Outbox } from "../rpc/outbox.ts";
import type { Receiver, Transport } from "../rpc/transport.ts";
import { decodeParams } from "../wire/decode.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { ackParams } from "../wire/process_messages.ts";
import { type Inbound, NO_REQUEST, readEnvelope, writeError, writeResult } from "../wire/envelope.ts";
import { findMethod, type MethodName, methods, paramsOf } from "../wire/methods.ts";
import { agree, type Agreed, FLOW_WINDOW_BYTES, NOTHING_AGREED } from "../wire/extensions.ts";
import { MalformedMessage } from "../wire/parse_json.ts";
import type { InitializeResult } from "../wire/session_messages.ts";
import { INVALID_REQUEST, UNKNOWN_METHOD, WireError } from "../wire/wire_error.ts";
import { Caller } from "./caller.ts";
import { environmentInfo, treeFacts } from "./environment_info.ts";
import { type Handshake, nextHandshake, refusalBefore } from "./handshake.ts";
import type { Found, Route, Routes } from "./route.ts";
import type { Attached, Session } from "./session.ts";
import type { SessionRegistry } from "./session_registry.ts";
import { inWireWords } from "./wire_words.ts";

/** They wait for output, or for room; nothing is done meanwhile. */
const WAITING_METHODS: ReadonlySet<string> = new Set([
  "process/read",
  "process/write",
  "process/closeStdin",
  "process/wait",
  "process/logs",
]);

export interface ConnectionOptions {
  readonly sessions: SessionRegistry;
  readonly routes: Routes;
  readonly clock: Clock;
  readonly concurrentRequests: number;
  /** What a message is called on this carrier. */
  readonly messageName: string;
  /** The session ends with its connection: there is no way back over stdio. */
  readonly endsSession: boolean;
  /** Who it is, as far as it had to show that. */
  readonly principal: string;
  readonly onEnd: (connection: Connection) => void;
}

/** One socket's or pipe's life on the server: who it is, what it asks, how it ends. */
export class Connection implements Receiver, Answerer, Attached {
  readonly outbox: Outbox;
  readonly #dispatcher: Dispatcher;
  readonly #keepalive: Keepalive;
  readonly #gone = new AbortController();
  /** Resolves when the transport has ended. */
  readonly whenEnded: Promise<void>;
  #tellEnded!: () => void;
  /** What this peer and we can beyond Codex. */
  agreed: Agreed = NOTHING_AGREED;
  #isEnding = false;
  #hungUp = false;
  #handshake: Handshake = "new";
  #caller: Caller | null = null;

  constructor(private readonly transport: Transport, private readonly options: ConnectionOptions) {
    this.whenEnded = new Promise((resolve) => (this.#tellEnded = resolve));
    this.outbox = new Outbox(transport);
    this.#dispatcher = new Dispatcher(this.outbox, this, options.concurrentRequests, transport);
    this.#keepalive = new Keepalive(transport, options.clock, () => this.#dispatcher.isPaused);
    transport.receive(this);
  }

  message(data: string | Uint8Array): void {
    this.#keepalive.heard();
    let inbound: Inbound;
    try {
      inbound = readEnvelope(typeof data === "string" ? data : textOf(data));
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#dispatcher.receive({ id: NO_REQUEST, size: data.length, problem: error.message });
      return;
    }
    if (inbound.kind === "request") {
      this.#dispatcher.receive({ ...inbound, size: data.length });
    } else if (
      inbound.kind === "notification" && inbound.method === "process/ack" && this.#handshake === "ready"
    ) {
      // At once: it needs no room to be answered in, and somebody may be held until it is heard.
      if (!this.#acknowledge(inbound.params)) this.end();
    } else {
      // In its turn: the `initialize` before it may still be queued.
      this.#dispatcher.receive({ size: data.length, tell: () => this.#listen(inbound) });
    }
  }

  heard(): void {
    this.#keepalive.heard();
  }

  drained(): void {
    this.outbox.drained();
  }

  ended(): void {
    this.#keepalive.stop();
    this.#isEnding = true;
    this.#dispatcher.end(this.#hungUp ? "drop" : "finish");
    this.#gone.abort();
    this.#caller?.end();
    if (this.options.endsSession) this.#caller?.session.end();
    else this.#caller?.session.detach(this);
    this.options.onEnd(this);
    this.#tellEnded();
  }

  /** Resolves when no answer is coming any more. To be asked after the end. */
  whenIdle(): Promise<void> {
    return this.#dispatcher.whenIdle();
  }

  challenge(): void {
    this.#keepalive.challenge();
  }

  /** Ends the connection from this side. */
  end(): void {
    this.#hungUp = true;
    this.transport.end();
  }

  answer(request: Request): Answer | Promise<Answer> {
    const { id } = request;
    try {
      if ("problem" in request) {
        const from = `${this.options.messageName} from ${this.transport.label}`;
        throw new WireError(INVALID_REQUEST, `failed to parse ${from}: ${request.problem}`);
      }
      const { method, params } = request;
      const found = this.#find(method, params);
      if (!(found instanceof Promise)) return () => writeResult(id, found());
      return found.then((later) => () => writeResult(id, later()), (error) => refusal(error));
    } catch (error) {
      return refusal(error);
    }

    function refusal(error: unknown): Answer {
      const words = inWireWords(error);
      return () => writeError(id, words);
    }
  }

  mayWait(request: Request): boolean {
    return "method" in request && WAITING_METHODS.has(request.method);
  }

  /** Takes what is told without being asked. */
  #listen(inbound: Inbound): void {
    if (inbound.kind === "notification" && inbound.method === "process/ack") {
      if (!this.#acknowledge(inbound.params)) this.end();
      return;
    }
    const expected = inbound.kind === "notification" && inbound.method === "initialized";
    const next = expected ? nextHandshake(this.#handshake, "initialized") : null;
    // A peer that speaks another protocol gets no reply, so as not to feed a loop.
    if (next === null) this.end();
    else this.#handshake = next;
  }

  #acknowledge(params: unknown): boolean {
    if (this.#handshake !== "ready" || !this.agreed.has("flow.v1")) return false;
    try {
      const { processId, seq } = decodeParams(ackParams(), params);
      this.#caller?.session.acknowledge(processId, seq);
      return true;
    } catch (error) {
      if (error instanceof DecodeError) return false; // there is no answer to a notification but to hang up
      throw error;
    }
  }

  #find(method: string, params: unknown): Found<unknown> | Promise<Found<unknown>> {
    const known = findMethod(method, this.agreed);
    if (known === null) {
      throw new WireError(UNKNOWN_METHOD, `exec-server stub does not implement \`${method}\` yet`);
    }
    return known === "initialize" ? this.#initialize(params) : this.#route(known, params);
  }

  #route<Name extends Exclude<MethodName, "initialize">>(
    name: Name,
    params: unknown,
  ): Found<unknown> | Promise<Found<unknown>> {
    const decoded = paramsOf(name, params, this.agreed);
    const tooEarly = refusalBefore(this.#handshake, methods[name].family ?? "");
    if (tooEarly !== null) throw new WireError(INVALID_REQUEST, tooEarly);
    const caller = this.#caller!;
    if (!caller.session.isAttachedTo(this)) {
      throw new WireError(INVALID_REQUEST, "session has been resumed by another connection");
    }
    // Nobody would know of it, and a client takes it for ambiguous.
    if (this.#isEnding && name === "process/start") throw new WireError(INVALID_REQUEST, "connection closed");
    const route: Route<Name> = this.options.routes[name];
    return route(decoded, caller);
  }

  #initialize(params: unknown): Found<InitializeResult> {
    const { resumeSessionId, extensions, ownerToken } = paramsOf("initialize", params, this.agreed);
    const next = nextHandshake(this.#handshake, "initialize accepted");
    if (next === null) {
      throw new WireError(INVALID_REQUEST, "initialize may only be sent once per connection");
    }
    const agreed = agree(this.options.endsSession ? extensions.filter(outlivesProgram) : extensions);
    const token = agreed.has("processes.v1") ? ownerTokenIn(ownerToken) : null;
    this.agreed = agreed; // before the session begins to speak to this connection
    const session = this.#sessionFor(resumeSessionId, token);
    this.#caller = new Caller(session, this.agreed, this.outbox, this.options.clock, this.#gone.signal);
    this.#handshake = next;
    const result = {
      sessionId: session.id,
      environmentInfo: environmentInfo(),
      ...(extensions.length === 0 ? {} : { extensions: [...this.agreed] }),
      ...(this.agreed.has("flow.v1") ? { flow: { windowBytes: FLOW_WINDOW_BYTES } } : {}),
      ...(this.agreed.has("outcome.v1") ? { trees: treeFacts() } : {}),
    };
    return () => result;
  }

  #sessionFor(resumeSessionId: string | null, token: string | null): Session {
    try {
      const { sessions } = this.options;
      return resumeSessionId === null
        ? sessions.create(this, { principal: this.options.principal, token })
        : sessions.resume(resumeSessionId, this);
    } catch (error) {
      this.agreed = NOTHING_AGREED; // it is as if nothing had been said
      throw error;
    }
  }
}

/** A server on stdio ends with its client, and nothing that it keeps could be found again. */
function outlivesProgram(extension: string): boolean {
  return extension !== "processes.v1";
}

/** Long enough for any secret. */
const LONGEST_OWNER_TOKEN = 1_024;

function ownerTokenIn(told: unknown): string | null {
  if (told === undefined || told === null) return null;
  if (typeof told === "string" && told !== "" && told.length <= LONGEST_OWNER_TOKEN) return told;
  throw new DecodeError(`ownerToken is a text of 1 to ${LONGEST_OWNER_TOKEN} characters`);
}

/** Bytes of a carrier that did not look at them: text or nothing we understand. */
function textOf(data: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new MalformedMessage("invalid UTF-8");
  }
}
