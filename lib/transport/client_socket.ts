import { type Clock, systemClock, type Timer } from "../base/clock.ts";
import { osErrorText } from "../base/os_error.ts";
import type { Receiver, Transport } from "../rpc/transport.ts";
import { textPassed } from "./large_texts.ts";
import { tlsFailureText } from "./tls_failure.ts";

/** Above this much unsent, producers wait. */
const FULL_BYTES = 1024 * 1024;
const ROOM_BYTES = 256 * 1024;
/** The runtime's client does not tell when there is room again, so it is asked; only while somebody waits for it. */
const LOOK_EVERY_MS = 5;

export interface SocketAddress {
  /** `ws://`, `wss://`, or `unix:` and a path. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly connectTimeoutMs: number;
  /** Certificates to trust, in PEM; without it those of the system. */
  readonly tlsCa?: string;
  readonly clock?: Clock;
}

/** Why a connection did not come about. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  constructor(readonly code: "timeout" | "refused" | "given up", message: string) {
    super(message);
  }
}

/** One WebSocket of a client. */
export class ClientSocket implements Transport {
  readonly label: string;
  #receiver: Receiver | null = null;
  #early: (string | Uint8Array)[] = [];
  #full = false;
  #ended: string | null = null;
  #told = false;
  #look: Timer | null = null;

  private constructor(private readonly socket: WebSocket, url: string, private readonly clock: Clock) {
    this.label = `exec-server websocket ${url}`;
    const heard = () => this.#receiver?.heard();
    socket.addEventListener("message", ({ data }) => this.#received(data));
    socket.addEventListener("close", ({ code, reason }) => this.#close(closeReason(code, reason)));
    socket.addEventListener("ping", heard);
    socket.addEventListener("pong", heard);
  }

  /** Connects; rejects with a ConnectError when it cannot, takes too long, or nobody wants it any more. */
  static async connect(address: SocketAddress, givenUp: AbortSignal): Promise<ClientSocket> {
    const { url, headers, tlsCa, connectTimeoutMs, clock = systemClock } = address;
    if (givenUp.aborted) throw new ConnectError("given up", "nobody waits for it any more");
    const socket = open(url, headers, tlsCa);
    const transport = new ClientSocket(socket, url, clock);
    const opened = Promise.withResolvers<void>();
    const leave = () => opened.reject(new ConnectError("given up", "nobody waits for it any more"));
    const timer = clock.after(
      connectTimeoutMs,
      () => opened.reject(new ConnectError("timeout", "timed out")),
    );
    givenUp.addEventListener("abort", leave);
    socket.addEventListener("open", () => opened.resolve());
    socket.addEventListener("error", (event) => opened.reject(new ConnectError("refused", failureOf(event))));
    socket.addEventListener("close", () => opened.reject(new ConnectError("refused", "connection closed")));
    try {
      await opened.promise;
      return transport;
    } catch (error) {
      socket.terminate();
      throw error;
    } finally {
      timer.cancel();
      givenUp.removeEventListener("abort", leave);
    }
  }

  get isFull(): boolean {
    return this.#full;
  }

  get unsentBytes(): number {
    return this.#ended === null ? this.socket.bufferedAmount : 0;
  }

  send(message: string): void {
    if (this.#ended !== null) return;
    this.socket.send(message);
    textPassed(message.length);
    if (this.#full || this.socket.bufferedAmount <= FULL_BYTES) return;
    this.#full = true;
    this.#lookLater();
  }

  receive(receiver: Receiver): void {
    this.#receiver = receiver;
    for (const data of this.#early.splice(0)) this.#received(data);
    this.#tellEnd();
  }

  pause(): void {
    if (this.#ended === null) this.socket.pause();
  }

  resume(): void {
    if (this.#ended === null) this.socket.resume();
  }

  ping(): void {
    if (this.#ended === null) this.socket.ping();
  }

  end(): void {
    this.socket.terminate();
    this.#close("ended by this side");
  }

  #received(data: string | Uint8Array): void {
    if (this.#receiver === null) {
      this.#early.push(data);
      return;
    }
    this.#receiver.heard();
    this.#receiver.message(data);
    textPassed(data.length);
  }

  #lookLater(): void {
    this.#look = this.clock.after(LOOK_EVERY_MS, () => {
      if (this.#ended !== null) return;
      if (this.socket.bufferedAmount > ROOM_BYTES) return this.#lookLater();
      this.#full = false;
      this.#receiver?.drained();
    });
  }

  #close(reason: string): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#look?.cancel();
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#ended === null || this.#told || this.#receiver === null) return;
    this.#told = true;
    this.#receiver.ended(this.#ended);
  }
}

function open(url: string, headers: SocketAddress["headers"], tlsCa: string | undefined): WebSocket {
  const target = url.startsWith("unix:")
    ? `ws+unix://${url.slice("unix:".length).replace(/^\/\/(?=\/)/, "")}`
    : url;
  const options = {
    headers: { ...headers },
    // Costs more than it saves, and a Codex server takes none.
    perMessageDeflate: false,
    ...(tlsCa === undefined ? {} : { tls: { ca: tlsCa } }),
  };
  try {
    return new WebSocket(target, options);
  } catch (error) {
    throw new ConnectError("refused", error instanceof Error ? error.message : String(error));
  }
}

/** What the runtime tells of a failure, in fewer words. */
function failureOf(event: Event): string {
  const { error, message } = event as ErrorEvent;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "string" && code !== "ENOTFOUND") return tlsFailureText(code) ?? osErrorText(code);
  if (code === "ENOTFOUND") return "host not found";
  const words = (message ?? "").replace(/^WebSocket connection to '[^']*' failed: /, "");
  const status = /^Expected 101 status code: (\d+)/.exec(words)?.[1];
  return status === undefined ? words || "unknown failure" : `HTTP status ${status} instead of an upgrade`;
}

/** Empty where the connection just went, as every end of a Codex server looks. */
function closeReason(code: number, reason: string): string {
  if (reason !== "") return reason;
  return code === 1006 || code === 1000 || code === 1001 || code === 1005 ? "" : `closed with ${code}`;
}
