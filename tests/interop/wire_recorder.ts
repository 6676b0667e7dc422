import { z } from "zod/mini";

const Call = z.object({
  id: z.optional(z.union([z.string(), z.number()])),
  method: z.optional(z.string()),
  params: z.optional(z.nullable(z.looseObject({ sandbox: z.optional(z.unknown()) }))),
  error: z.optional(z.object({ code: z.number(), message: z.string() })),
});

export interface RecordedCall {
  readonly method: string;
  /** null where it asks for none. */
  readonly sandbox: unknown;
}

interface Line {
  far: WebSocket | null;
  readonly waiting: string[];
}

/** Stands before a server and writes down what a client asks of it. Changes nothing. */
export class WireRecorder implements AsyncDisposable {
  readonly calls: RecordedCall[] = [];
  /** What the server said of methods that it does not know. */
  readonly unknown: string[] = [];
  #server: Bun.Server<Line>;

  constructor(serverUrl: string) {
    this.#server = Bun.serve<Line>({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request, server) {
        if (server.upgrade(request, { data: { far: null, waiting: [] } })) return;
        return new Response(null, { status: 400 });
      },
      websocket: {
        maxPayloadLength: 64 * 1024 * 1024,
        backpressureLimit: 0, // nothing may be dropped here
        open: (near) => {
          const far = near.data.far = new WebSocket(serverUrl);
          far.onopen = () => near.data.waiting.splice(0).forEach((text) => far.send(text));
          far.onmessage = ({ data }) => {
            const { error } = Call.parse(JSON.parse(String(data)));
            if (error?.code === -32601) this.unknown.push(error.message);
            near.send(String(data));
          };
          far.onclose = () => near.terminate();
        },
        message: (near, data) => {
          const text = String(data);
          const { method, params } = Call.parse(JSON.parse(text));
          if (method !== undefined) this.calls.push({ method, sandbox: params?.sandbox ?? null });
          if (near.data.far?.readyState === WebSocket.OPEN) near.data.far.send(text);
          else near.data.waiting.push(text);
        },
        close: (near) => near.data.far?.close(),
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
