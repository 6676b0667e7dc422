import { Permits } from "../base/permits.ts";
import { fsErrorOf, notConnected } from "./fs_words.ts";
import type { OpenSession } from "./open_session.ts";
import type { Uplink } from "./uplink.ts";

/** Calls by path that may wait for their answers; the others wait here. Far below the limit of the connection. */
const CALLS_AT_ONCE = 256;

const NEVER = new AbortController().signal;

/** The calls about files, each sent once. What goes wrong is told as FsError. */
export class FileCalls {
  readonly #turns = new Permits(CALLS_AT_ONCE);

  constructor(private readonly uplink: Uplink) {}

  /** Waits while the connection is being recovered; once sent, it fails when the connection is lost. */
  async call<Answer>(method: string, params: object, read: (result: unknown) => Answer): Promise<Answer> {
    const done = await this.#turns.take(NEVER);
    try {
      const { link } = await this.connected();
      return read(await link.call(method, params));
    } catch (error) {
      throw fsErrorOf(error);
    } finally {
      done();
    }
  }

  async connected(): Promise<OpenSession> {
    try {
      return this.uplink.session ?? await this.uplink.whenConnected();
    } catch (error) {
      throw notConnected(error);
    }
  }
}
