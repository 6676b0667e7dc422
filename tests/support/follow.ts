import type { ProcessHandle, StartOptions } from "../../lib/process/backend.ts";
import type { Stream } from "../../lib/process/process_event.ts";
import { within } from "./peer_deadline.ts";

/** How a followed process ended: its story was told to the end, or broke off. */
export type FollowedEnd = { readonly exitCode: number } | { readonly failed: string };

/** Takes every event of a process as it comes. */
export class Followed {
  readonly seqs: number[] = [];
  readonly bytes: Record<Stream, number> = { stdout: 0, stderr: 0, pty: 0 };
  exitCode: number | null = null;
  readonly ended: Promise<FollowedEnd>;
  #chunks: { stream: Stream; bytes: Uint8Array }[] = [];
  #wake: (() => void)[] = [];

  /** `onOutput` is given the bytes instead of keeping them. */
  constructor(readonly process: ProcessHandle, onOutput?: (stream: Stream, bytes: Uint8Array) => void) {
    this.ended = new Promise((resolve) => {
      const follower = process.log.follow(0, () => pump());
      const pump = () => {
        for (let event = follower.take(); event !== null; event = follower.take()) {
          this.seqs.push(event.seq);
          if (event.type === "output") {
            this.bytes[event.stream] += event.bytes.length;
            if (onOutput === undefined) this.#chunks.push(event);
            else onOutput(event.stream, event.bytes);
          } else if (event.type === "exited") this.exitCode = event.exitCode;
          else resolve({ exitCode: this.exitCode ?? NaN });
        }
        const failure = follower.failure();
        if (failure !== null) resolve({ failed: failure.message });
        for (const wake of this.#wake.splice(0)) wake();
      };
      pump();
    });
  }

  text(stream?: Stream): string {
    const chunks = this.#chunks.filter((chunk) => stream === undefined || chunk.stream === stream);
    return Buffer.concat(chunks.map(({ bytes }) => bytes)).toString();
  }

  /** Waits until the output so far holds this text. */
  async outputWith(text: string): Promise<void> {
    const wait = async () => {
      while (!this.text().includes(text)) await new Promise<void>((resolve) => this.#wake.push(resolve));
    };
    await within(wait(), `${JSON.stringify(text)} in the output`);
  }

  end(deadlineMs?: number): Promise<FollowedEnd> {
    return within(this.ended, `the end of ${this.process.processId}`, deadlineMs);
  }
}

let started = 0;

/** A start with the usual: pipes, no input, a small environment. */
export function startOptions(argv: readonly string[], change: Partial<StartOptions> = {}): StartOptions {
  return {
    processId: `p${++started}`,
    argv,
    arg0: null,
    cwd: "/tmp",
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    envPolicy: null,
    tty: false,
    pipeStdin: false,
    size: null,
    terminalSignalExit: "128+n",
    ...change,
  };
}
