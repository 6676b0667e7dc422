import { type Clock, systemClock } from "../base/clock.ts";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import type { Receiver, Transport } from "../rpc/transport.ts";
import { MAX_MESSAGE_BYTES } from "../wire/message_limits.ts";
import { LineStream } from "./line_stream.ts";

/** How long a program that was asked to end may take: Codex's number. */
const GRACE_MS = 2_000;
/** A line of stderr is cut here; a program may print anything. */
const STDERR_LINE = 8_192;

export interface ServerProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** On top of our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly onStderr?: (line: string) => void;
  readonly clock?: Clock;
}

/** The program could not be started. */
export class SpawnError extends Error {
  override readonly name = "SpawnError";
}

/**
 * A server that we start ourselves and speak to over its stdio. It leads a process group of its own, so that a Ctrl-C in
 * our terminal is not also its; when the conversation is over the whole group is ended, and only then `ended` is told.
 */
export class SpawnedServer implements Transport {
  readonly label = "exec-server stdio";
  readonly #lines: LineStream;
  #ending = false;

  private constructor(private readonly child: SpawnedChild, private readonly clock: Clock) {
    this.#lines = new LineStream(child.stdout, child.stdin, this.label, MAX_MESSAGE_BYTES);
  }

  /** Throws a SpawnError. */
  static start(program: ServerProgram): SpawnedServer {
    const child = spawn(program);
    void readLines(child.stderr, program.onStderr ?? (() => {}));
    return new SpawnedServer(child, program.clock ?? systemClock);
  }

  get isFull(): boolean {
    return this.#lines.isFull;
  }

  get unsentBytes(): number {
    return this.#lines.unsentBytes;
  }

  send(message: string): void {
    this.#lines.send(message);
  }

  receive(receiver: Receiver): void {
    this.#lines.receive({
      message: (data) => receiver.message(data),
      heard: () => receiver.heard(),
      drained: () => receiver.drained(),
      ended: (reason) => void this.#endProgram().then(() => receiver.ended(reason)),
    });
  }

  pause(): void {
    this.#lines.pause();
  }

  resume(): void {
    this.#lines.resume();
  }

  ping(): void {
    this.#lines.ping();
  }

  end(): void {
    this.#lines.end();
    void this.#endProgram();
  }

  async #endProgram(): Promise<void> {
    if (!this.#ending) {
      this.#ending = true;
      this.#signalGroup("SIGTERM");
      const force = this.clock.after(GRACE_MS, () => this.#signalGroup("SIGKILL"));
      void this.child.exited.then(() => force.cancel());
    }
    await this.child.exited;
  }

  #signalGroup(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      process.kill(-this.child.pid, signal);
    } catch (error) {
      // Nobody is left.
      if (osErrorCode(error) !== "ESRCH") throw error;
    }
  }
}

type SpawnedChild = Bun.Subprocess<"pipe", "pipe", "pipe">;

function spawn({ program, args, env, cwd }: ServerProgram): SpawnedChild {
  try {
    return Bun.spawn([program, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
  } catch (error) {
    const code = osErrorCode(error);
    throw new SpawnError(code === null ? String(error) : `${program}: ${osErrorText(code)}`);
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, STDERR_LINE);
    for (const line of lines) onLine(line.slice(0, STDERR_LINE).trimEnd());
  }
  if (rest !== "") onLine(rest);
}
