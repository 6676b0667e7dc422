import { constants } from "node:os";
import { join } from "@std/path";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import type { Environment } from "../../lib/environment/environment.ts";
import { runCommand } from "../../lib/environment/run_command.ts";
import { CommandError, EXIT, signalStatus } from "../exit_status.ts";
import { type Forwarded, hearSignals } from "./signals.ts";

export interface InputLimits {
  readonly bytes: number;
  readonly ms: number;
}

/** It travels in one frame, as base64, and Codex closes a connection on which one of more than 16 MiB comes. */
const LIMITS: InputLimits = { bytes: 11 * 1024 * 1024, ms: 60_000 };
/** A lost connection must not keep us for the sake of a file. */
const REMOVING_MS = 1_000;

/** Input may be a secret, and the directory is everybody's. */
const CREATE = 'umask 077; set -C; : >"$1"';
/** Once it is open the name is of no use, and nothing is left there however the command is left. */
const RUN = 'f=$1; shift; exec <"$f" || exit 125; PATH=/usr/bin:/bin rm -f -- "$f" 2>/dev/null; exec "$@"';

/** Our whole stdin as a file of a place that cannot be told where an input ends. */
export class SpooledStdin implements AsyncDisposable {
  readonly #interrupted = Promise.withResolvers<never>();
  readonly #signals = hearSignals((signal) => this.#interrupted.reject(interruptedBy(signal)));

  private constructor(private readonly environment: Environment, private readonly path: string) {
    this.#interrupted.promise.catch(() => {}); // told to whoever waits
  }

  /** Reads stdin to its end first: until then nothing is there. Throws a CommandError where it has none. */
  static async make(environment: Environment): Promise<SpooledStdin> {
    const bytes = await wholeInput(Bun.stdin.stream(), LIMITS, systemClock);
    const { tempDir } = await environment.info();
    const path = join(tempDir ?? "/tmp", `.exec-server-stdin-${crypto.randomUUID()}`);
    const spooled = new SpooledStdin(environment, path);
    try {
      await spooled.unlessInterrupted(spooled.#write(bytes));
      return spooled;
    } catch (error) {
      await spooled[Symbol.asyncDispose]();
      throw error instanceof CommandError ? error : refused(`it cannot be kept there: ${messageOf(error)}`);
    }
  }

  /** What to start so that `argv` has the file as its stdin; it keeps its process, and so its status and signals. */
  argvFor(argv: readonly string[]): string[] {
    return ["/bin/sh", "-c", RUN, "sh", this.path, ...argv];
  }

  /** Rejects when the user does not want to wait any more. */
  unlessInterrupted<T>(action: T | Promise<T>): Promise<T> {
    return Promise.race([action, this.#interrupted.promise]);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const { exitCode, stderr } = await runCommand(this.environment, [
      "/bin/sh",
      "-c",
      CREATE,
      "sh",
      this.path,
    ]);
    if (exitCode !== 0) throw new Error(new TextDecoder().decode(stderr).trim() || `status ${exitCode}`);
    await this.environment.fileSystem().writeFile(this.path, bytes);
  }

  /** Never rejects: whatever keeps the file there, the command's own end says more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signals[Symbol.dispose]();
    await Promise.race([this.#remove().catch(() => {}), Bun.sleep(REMOVING_MS)]);
  }

  async #remove(): Promise<void> {
    const files = this.environment.fileSystem({ reconnect: false });
    await files.remove(this.path, { recursive: false, force: true });
  }
}

/** All of a stream that ends within the limits. Throws a CommandError where it does not. */
export async function wholeInput(
  stream: ReadableStream<Uint8Array>,
  { bytes, ms }: InputLimits,
  clock: Clock,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const late = Promise.withResolvers<never>();
  const timer = clock.after(ms, () => late.reject(refused(`it has not ended within ${ms / 1000} s`)));
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (true) {
      const next = await Promise.race([reader.read(), late.promise]);
      if (next.done) return new Uint8Array(Buffer.concat(chunks));
      size += next.value.length;
      if (size > bytes) throw refused(`it is longer than ${bytes} bytes`);
      chunks.push(next.value);
    }
  } finally {
    timer.cancel();
    reader.cancel().catch(() => {});
  }
}

function refused(why: string): CommandError {
  return new CommandError(
    `this server is a plain Codex server and must be given the whole input before the command starts: ${why}`,
    "pass -n to give it no input, or -t to give it a terminal",
    EXIT.notStarted,
  );
}

function interruptedBy(signal: Forwarded): CommandError {
  return new CommandError(
    `SIG${signal} came before the command had started`,
    null,
    signalStatus(constants.signals[`SIG${signal}`]),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
