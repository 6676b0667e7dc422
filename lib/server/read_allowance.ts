import { FsError } from "../fs/fs_error.ts";
import { MAX_READ_FILE_BYTES, type Soon } from "../fs/file_system.ts";
import type { Outbox, Producer } from "../rpc/outbox.ts";

/** What large reads of one connection may hold before it is sent: one file of the largest kind, or many smaller. */
const ALLOWED_BYTES = MAX_READ_FILE_BYTES;

/** Keeps a peer that asks for many large files, and takes none, from filling the memory. */
export class ReadAllowance implements Producer {
  #held = 0;
  #sent = 0;
  readonly #waiting: {
    readonly bytes: number;
    readonly begin: () => void;
    readonly refuse: (why: Error) => void;
  }[] = [];
  #ended = false;

  constructor(private readonly outbox: Outbox) {}

  /** Resolves when it is this one's turn; the longest waiting first. */
  take(bytes: number): Soon<void> {
    if (this.#waiting.length === 0 && this.#hasRoomFor(bytes)) {
      this.#held += bytes;
      return;
    }
    if (this.#ended) throw gone();
    return new Promise((begin, refuse) => this.#waiting.push({ bytes, begin, refuse }));
  }

  /** The answer that holds them is handed over, or there will be none. */
  giveBack(bytes: number): void {
    if (bytes === 0) return;
    this.#sent += bytes;
    // After the message that is being written just now.
    queueMicrotask(() => this.pump());
  }

  pump(): void {
    if (this.#ended) return;
    if (this.outbox.isFull) return this.outbox.waitForRoom(this);
    this.#held -= this.#sent;
    this.#sent = 0;
    while (this.#waiting.length > 0 && this.#hasRoomFor(this.#waiting[0]!.bytes)) {
      const { bytes, begin } = this.#waiting.shift()!;
      this.#held += bytes;
      begin();
    }
  }

  /** Nobody is there to take anything: what waits will not be read. */
  end(): void {
    this.#ended = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(gone());
    this.outbox.forget(this);
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= ALLOWED_BYTES;
  }
}

function gone(): FsError {
  return new FsError("refused", "connection closed");
}
