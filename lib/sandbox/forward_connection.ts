import { connect, type Socket } from "node:net";

/** Two sockets, what comes from the one going to the other. Each direction ends for itself. */
export class ForwardConnection {
  readonly #outside: Socket;

  /** `inside` allows half-open. `closed` is told once, when both are closed. */
  constructor(private readonly inside: Socket, port: number, closed: () => void) {
    const outside = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    this.#outside = outside;
    let open = 2;
    for (const [one, other] of [[inside, outside], [outside, inside]] as const) {
      // What broke off must not look complete on the other side; what had come to its end before is.
      one.on("error", () => one.readableEnded ? other.destroySoon() : other.resetAndDestroy());
      one.on("close", () => {
        other.destroySoon();
        if (--open === 0) closed();
      });
      one.pipe(other);
    }
  }

  /** Nobody is there inside any more. What was sent before still arrives. */
  finish(): void {
    if (this.#outside.writableFinished) this.destroy();
    else this.#outside.once("finish", () => this.destroy());
  }

  destroy(): void {
    this.inside.destroy();
    this.#outside.destroy();
  }
}
