import { z } from "zod/mini";

const Call = z.object({
  id: z.optional(z.union([z.string(), z.number()])),
  method: z.optional(z.string()),
  params: z.optional(z.unknown()),
});

/** The error a request is answered with, or null if it may pass. */
export type Refuse = (method: string, params: unknown) => { code: number; message: string } | null;

interface Line {
  authorization: string | null;
  far: WebSocket | null;
  waiting: string[];
}

/**
 * Stands before the real server and refuses what ours refuses, the way ours does, so that a test
 * that passes through it says how the client copes, whichever server is behind.
 */
export class WireFilter implements AsyncDisposable {
  #server: Bun.Server<Line>;

  constructor(serverUrl: string, refuse: Refuse) {
    this.#server = Bun.serve<Line>({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request, server) {
        const authorization = request.headers.get("authorization");
        if (server.upgrade(request, { data: { authorization, far: null, waiting: [] } })) return;
        return new Response(null, { status: 400 });
      },
      websocket: {
        maxPayloadLength: 64 * 1024 * 1024,
        // Nothing may be dropped here; a test is short enough to hold what it prints.
        backpressureLimit: 0,
        open(near) {
          const { authorization } = near.data;
          const far = new WebSocket(serverUrl, { headers: authorization === null ? {} : { authorization } });
          near.data.far = far;
          far.onopen = () => near.data.waiting.splice(0).forEach((text) => far.send(text));
          far.onmessage = ({ data }) => near.send(String(data));
          far.onclose = () => near.terminate();
        },
        message(near, data) {
          const text = String(data);
          const { id, method, params } = Call.parse(JSON.parse(text));
          const error = id !== undefined && method !== undefined ? refuse(method, params) : null;
          if (error !== null) near.send(JSON.stringify({ error, id }));
          else if (near.data.far?.readyState === WebSocket.OPEN) near.data.far.send(text);
          else near.data.waiting.push(text);
        },
        close(near) {
          near.data.far?.close();
        },
      },
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}
