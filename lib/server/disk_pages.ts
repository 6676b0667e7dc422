import { fullGC } from "bun:jsc";
import { Permits } from "../base/permits.ts";
import { type LogPage, releasePage } from "../process/log_page.ts";
import type { Outbox } from "../rpc/outbox.ts";
import type { WrittenResult } from "../wire/envelope.ts";

/** Pages that are read from the disk at the same time, for whomever: they are large. */
const READ_TOGETHER = 4;
/** So much of them is told before what is left of it is collected. */
const COLLECTED_BYTES = 8 * 1024 * 1024;
const ofAll = new Permits(READ_TOGETHER);

/** The pages of logs that one connection asks for and that come from the disk: one at a time, until it is handed over. */
export class DiskPages {
  readonly #turns = new Permits(1);

  constructor(private readonly outbox: Outbox, private readonly gone: AbortSignal) {}

  /** Finds the page in its turn, and not before there is room for it to be sent at once. */
  async find<Result>(
    read: () => LogPage | Promise<LogPage>,
    inWords: (page: LogPage) => Result | WrittenResult<Result>,
  ): Promise<() => Result | WrittenResult<Result>> {
    const handOver = await this.#turns.take(this.gone);
    try {
      while (this.outbox.isFull) await this.#room();
      const done = await ofAll.take(this.gone);
      // Whoever takes nothing from here on has a page waiting, and keeps nobody from the disk.
      const page = await Promise.resolve(read()).finally(done);
      return () => {
        handOver();
        const words = inWords(page);
        collectSoon(page);
        releasePage(page);
        return words;
      };
    } catch (error) {
      handOver();
      throw error;
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.outbox.forget(producer);
        reject(new Error("given up"));
      };
      const producer = {
        pump: () => {
          this.gone.removeEventListener("abort", leave);
          resolve();
        },
      };
      if (this.gone.aborted) return leave();
      this.gone.addEventListener("abort", leave, { once: true });
      this.outbox.waitForRoom(producer);
    });
  }
}

let told = 0;
let limit = COLLECTED_BYTES;

/** The words are twice the page, and the runtime keeps such texts until a large collection, which is rare. */
function collectSoon({ chunks }: LogPage): void {
  told += chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (told < limit) return;
  told = 0;
  // It takes the longer the more the program holds, so that has to be told as well.
  limit = Math.max(COLLECTED_BYTES, fullGC() / 4);
}
