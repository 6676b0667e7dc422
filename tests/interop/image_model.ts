import { writeFile } from "node:fs/promises";
import { z } from "zod/mini";
import { join } from "@std/path";

const Asked = z.looseObject({
  tools: z.array(z.looseObject({ name: z.optional(z.string()) })),
  input: z.array(z.looseObject({ type: z.string(), output: z.optional(z.unknown()) })),
});

const ImageParts = z.array(z.looseObject({ type: z.string(), image_url: z.optional(z.string()) }));

/** A model that wants to see one picture, and then has nothing more to say. */
export class ImageModel implements AsyncDisposable {
  /** The names of the tools that the client offered. */
  offered: string[] = [];
  /** What came back for the call, as the client sent it. */
  answer: unknown;
  #path: string;
  #server: Bun.Server<undefined>;

  constructor(path: string) {
    this.#path = path;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        if (request.method !== "POST") return new Response(null, { status: 404 });
        return this.#turn(Asked.parse(await request.json()));
      },
    });
  }

  /** The bytes of the picture that came back. Throws if none did. */
  get picture(): Uint8Array {
    const parts = z.safeParse(ImageParts, this.answer);
    const url = parts.success ? parts.data.find(({ type }) => type === "input_image")?.image_url : undefined;
    const [, encoded] = /^data:image\/png;base64,(.*)$/.exec(url ?? "") ?? [];
    if (encoded === undefined) throw new Error(`No picture came back: ${JSON.stringify(this.answer)}`);
    return Uint8Array.fromBase64(encoded);
  }

  /**
   * A program that runs this client with us for its model, whatever its configuration says: a conversation brings
   * a model of its own, which knows only of commands and of text.
   */
  async clientFor(binary: string, directory: string): Promise<string> {
    const program = join(directory, "client");
    const setting = `model_providers.loopback.base_url="http://127.0.0.1:${this.#server.port}/v1"`;
    await writeFile(program, `#!/bin/sh\nexec '${binary}' "$@" -c '${setting}'\n`, { mode: 0o755 });
    return program;
  }

  #turn({ tools, input }: z.infer<typeof Asked>): Response {
    this.offered = tools.flatMap(({ name }) => name ?? []);
    const answered = input.find(({ type }) => type === "function_call_output");
    if (answered === undefined) {
      const args = JSON.stringify({ path: this.#path });
      return turn({ type: "function_call", call_id: "look", name: "view_image", arguments: args });
    }
    this.answer = answered.output;
    return turn({ type: "message", role: "assistant", content: [{ type: "output_text", text: "Seen" }] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

/** One turn as the client waits for it: the item, then the end. */
function turn(item: object): Response {
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  const events = [
    { type: "response.created", response: { id: "turn" } },
    { type: "response.output_item.done", item: { id: "item", ...item } },
    { type: "response.completed", response: { id: "turn", usage } },
  ];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
