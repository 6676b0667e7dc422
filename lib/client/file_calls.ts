import { Permits } from "../base/permits.ts";
import { FsError } from "../fs/fs_error.ts";
import type { Agreed } from "../wire/extensions.ts";
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

  /**
   * Waits while the connection is being recovered; once sent, it fails when the connection is lost. `read` is told what
   * was agreed on the connection that the answer came by.
   */
  async call<Answer>(
    method: string,
    params: object,
    read: (result: unknown, agreed: Agreed) => Answer,
  ): Promise<Answer> {
    return await this.#send(method, params, read, () => {});
  }

  /** One of `files.v1`. A server without it cannot do that, and is not asked. */
  async callOurs<Answer>(
    method: string,
    params: object,
    read: (result: unknown) => Answer,
    doing: string,
  ): Promise<Answer> {
    return await this.#send(method, params, read, (agreed) => needFilesV1(agreed, doing));
  }

  async #send<Answer>(
    method: string,
    params: object,
    read: (result: unknown, agreed: Agreed) => Answer,
    mayBeSent: (agreed: Agreed) => void,
  ): Promise<Answer> {
    const done = await this.#turns.take(NEVER);
    try {
      const { link, agreed } = await this.connected();
      mayBeSent(agreed);
      return read(await link.call(method, params), agreed);
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

/** Throws an FsError where this was not agreed. */
export function needFilesV1(agreed: Agreed, doing: string): void {
  if (!agreed.has("files.v1")) throw cannot(doing);
}

export function cannot(doing: string): FsError {
  return new FsError("unsupported", `this exec-server cannot ${doing}`);
}
