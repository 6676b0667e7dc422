import type { WriteStatus } from "../process/backend.ts";
import { ProcessError } from "../process/process_error.ts";
import { CallError } from "../rpc/call_error.ts";
import { encodeBase64 } from "../wire/base64.ts";
import { readWriteAnswer, type WriteAnswer } from "../wire/client_messages.ts";
import { UNKNOWN_METHOD, WireError } from "../wire/wire_error.ts";
import { inClientWords } from "./client_error.ts";
import type { Link } from "./link.ts";
import type { OpenSession } from "./open_session.ts";
import type { Uplink } from "./uplink.ts";

/** Writes of one process that may be on the wire at once; the server answers each when there is room for it. */
const WRITES_ON_THE_WIRE = 64;

interface Write {
  readonly method: "process/write" | "process/closeStdin";
  readonly params: { readonly processId: string; readonly writeId: string; readonly chunk?: string };
  /** Where it was sent last; it is sent again on the next connection, under the same id. */
  sentOn: Link | null;
  resolve(status: WriteStatus): void;
  reject(error: Error): void;
}

/** The input of one far process: in order, and each write once, however often the connection is lost. */
export class RemoteInput {
  readonly #unanswered: Write[] = [];
  #failure: ProcessError | null = null;

  constructor(private readonly processId: string, private readonly uplink: Uplink) {}

  write(bytes: Uint8Array, writeId: string): Promise<WriteStatus> {
    return this.#put("process/write", { processId: this.processId, chunk: encodeBase64(bytes), writeId });
  }

  close(writeId: string): Promise<WriteStatus> {
    return this.#put("process/closeStdin", { processId: this.processId, writeId });
  }

  /** A new connection is in use: what was not answered goes again, in the old order. */
  resumed(session: OpenSession): void {
    this.#send(session);
  }

  /** Nothing will be answered any more. */
  fail(failure: ProcessError): void {
    this.#failure ??= failure;
    for (const write of this.#unanswered.splice(0)) write.reject(this.#failure);
  }

  #put(method: Write["method"], params: Write["params"]): Promise<WriteStatus> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#unanswered.push({ method, params, sentOn: null, resolve, reject });
      const { session } = this.uplink;
      if (session !== null) this.#send(session);
    });
  }

  #send(session: OpenSession): void {
    // Codex can be told to work on several requests at once, and then swaps writes; ours keeps their order.
    const most = session.agreed.size > 0 ? WRITES_ON_THE_WIRE : 1;
    for (const write of this.#unanswered.slice(0, most)) {
      if (write.sentOn === session.link) continue;
      write.sentOn = session.link;
      session.link.call(write.method, write.params).then(readWriteAnswer).then(
        ({ status }) => this.#answered(write, () => this.#tell(write, status)),
        (error: unknown) => {
          // Whether it arrived is unknown; the id lets the server find out.
          if (error instanceof CallError && error.code === "ended") return;
          this.#answered(write, () => write.reject(inProcessWords(error)));
        },
      );
    }
  }

  #answered(write: Write, tell: () => void): void {
    const index = this.#unanswered.indexOf(write);
    if (index === -1) return; // failed meanwhile
    this.#unanswered.splice(index, 1);
    tell();
    const { session } = this.uplink;
    if (session !== null && this.#unanswered.length > 0) this.#send(session);
  }

  #tell(write: Write, status: WriteAnswer["status"]): void {
    if (status === "accepted" || status === "stdinClosed") write.resolve(status);
    else if (status === "unknownProcess") {
      write.reject(new ProcessError("unknown", `unknown process id ${this.processId}`));
    } else write.reject(new ProcessError("stdin", `process id ${this.processId} is starting`));
  }
}

function inProcessWords(error: unknown): ProcessError {
  if (!(error instanceof WireError)) return new ProcessError("lost", inClientWords(error).message);
  return new ProcessError(error.code === UNKNOWN_METHOD ? "unsupported" : "stdin", error.message);
}
