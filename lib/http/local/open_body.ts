import type { HttpBody } from "../http_client.ts";
import { HttpError } from "../http_error.ts";
import { osErrorWords } from "../../base/os_error.ts";
import type { Framing } from "./body_framing.ts";
import type { Upstream } from "./upstream.ts";

/** The body of a response that is still coming. */
export class OpenBody implements HttpBody {
  #rest: Uint8Array = new Uint8Array();
  #isOver = false;

  /** `onOver` is told once, when nothing more is to be had from it: whether it was whole. */
  constructor(
    private readonly upstream: Upstream,
    private readonly framing: Framing,
    private readonly onOver: (isWhole: boolean) => void,
  ) {}

  async take(atMost: number): Promise<Uint8Array | null> {
    try {
      while (this.#rest.length === 0) {
        if (this.framing.isDone) {
          this.#end(true);
          return null;
        }
        if (this.framing.problem !== null) throw this.framing.problem;
        const bytes = await this.upstream.take();
        if (bytes === null) this.framing.close();
        else this.#rest = this.framing.decode(bytes);
      }
    } catch (error) {
      this.drop();
      throw new HttpError("body", `error decoding response body: ${osErrorWords(error)}`);
    }
    const bytes = this.#rest.subarray(0, atMost);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  drop(): void {
    this.#end(false);
  }

  #end(isWhole: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onOver(isWhole);
  }
}
