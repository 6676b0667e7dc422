import type { HttpBody } from "../http/http_client.ts";
import { HttpError } from "../http/http_error.ts";
import type { BodyDelta } from "../wire/http_results.ts";

/** Waits to be taken before the whole connection is held back: the protocol has no other way to slow one body. */
const BEHIND_BYTES = 4 * 1024 * 1024;
/** While somebody waits for an answer the connection must be read, and bodies come with it. Codex's number. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

type Ending = { readonly error: HttpError | null };

/** The body of a response that comes piece by piece without being asked for. */
export class RemoteBody implements HttpBody {
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;
  #seq = 0;
  #ending: Ending | null = null;
  #wake: (() => void) | null = null;

  constructor(
    /** It is behind, or no more. */
    private readonly onMoved: () => void,
    /** Nothing more will come for it. Told once. */
    private readonly onOver: () => void,
  ) {}

  get isBehind(): boolean {
    return this.#ending === null && this.#bytes > BEHIND_BYTES;
  }

  async take(atMost: number): Promise<Uint8Array | null> {
    while (this.#waiting.length === 0) {
      if (this.#ending !== null) {
        if (this.#ending.error !== null) throw this.#ending.error;
        return null;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const first = this.#waiting[0]!;
    const bytes = first.subarray(0, atMost);
    if (bytes.length === first.length) this.#waiting.shift();
    else this.#waiting[0] = first.subarray(bytes.length);
    this.#count(-bytes.length);
    return bytes;
  }

  /** There is no word for it on the wire: the server goes on, and what it sends is not heard. */
  drop(): void {
    this.#waiting.length = 0;
    this.#count(-this.#bytes);
    this.fail("the body was dropped");
  }

  arrived({ seq, bytes, done, error }: BodyDelta): void {
    if (this.#ending !== null) return;
    if (seq !== ++this.#seq) return this.fail(`piece ${this.#seq} of the body was lost`);
    if (bytes.length > 0) {
      this.#waiting.push(bytes);
      this.#count(bytes.length);
    }
    if (done) this.#end({ error: error === null ? null : new HttpError("body", error) });
    else if (this.#bytes > MAX_WAITING_BYTES) {
      this.fail(`more than ${MAX_WAITING_BYTES} bytes of the body were not taken`);
    }
    this.#wakeUp();
  }

  /** Nothing more will come; what came can still be taken. Nothing happens when it is over. */
  fail(reason: string): void {
    this.#end({ error: new HttpError("body", `error decoding response body: ${reason}`) });
  }

  #end(ending: Ending): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    this.onOver();
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }

  #count(bytes: number): void {
    const before = this.isBehind;
    this.#bytes += bytes;
    if (this.isBehind !== before) this.onMoved();
  }
}
