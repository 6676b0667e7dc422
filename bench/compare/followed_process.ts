import { base64Bytes, type Wire } from "./wire.ts";

let started = 0;

/** A process on the server under test, followed by what it tells. One at a time on a connection. */
export class FollowedProcess {
  readonly id = `p${++started}`;
  /** Bytes of output so far. */
  received = 0;
  /** null until it has ended. */
  exitCode: number | null = null;
  #wire: Wire;
  #closed = Promise.withResolvers<void>();
  #wakeUp = () => {};

  constructor(wire: Wire) {
    this.#wire = wire;
    // Before it is started: its events may come before the answer.
    wire.onNotice = ({ method, processId, text }) => {
      if (processId !== this.id) return;
      if (method === "process/output") {
        this.received += base64Bytes(text, "chunk");
        this.#wakeUp();
      } else if (method === "process/exited") this.exitCode = Number(/"exitCode":(-?\d+)/.exec(text)?.[1]);
      else if (method === "process/closed") this.#closed.resolve();
    };
  }

  /** The answer as it came. */
  start(argv: string[], more: { tty?: boolean; sandbox?: object } = {}): Promise<string> {
    const cwd = "file:///";
    const env = { PATH: "/usr/bin:/bin" };
    const params = { processId: this.id, argv, cwd, env, tty: false, pipeStdin: false, arg0: null, ...more };
    return this.#wire.ask("process/start", params);
  }

  /** Resolves once it has ended and all that it printed is here. */
  closed(): Promise<void> {
    return this.#wire.within(this.#closed.promise, "The end of a process");
  }

  /** Types, and resolves once this many bytes of output are here; the answer may come after them. */
  async typeFor(bytes: string, echoed: number): Promise<void> {
    const wanted = this.received + echoed;
    const echo = new Promise<void>((resolve) => {
      this.#wakeUp = () => this.received >= wanted && resolve();
    });
    const answer = this.#wire.ask("process/write", {
      processId: this.id,
      chunk: btoa(bytes),
      writeId: crypto.randomUUID(),
    });
    await this.#wire.within(echo, "An echo");
    this.#lastAnswer = answer;
  }

  /** The answer to the last `typeFor`. */
  settled(): Promise<unknown> {
    return this.#lastAnswer;
  }

  async terminate(): Promise<void> {
    await this.#wire.ask("process/terminate", { processId: this.id });
    await this.closed();
  }

  #lastAnswer: Promise<unknown> = Promise.resolve();
}
