import { z } from "zod/mini";
import { readToolAnswer, type ToolAnswer } from "./tool_answer.ts";

export interface ToolCall {
  readonly tool: "exec_command" | "write_stdin";
  readonly args: Readonly<Record<string, unknown>>;
}

/** One conversation: yields the model's next tool call, is given what came back, returns the last words. */
export type Script = Generator<ToolCall, string, ToolAnswer>;

export function execCommand(cmd: string, args: Record<string, unknown> = {}): ToolCall {
  return { tool: "exec_command", args: { cmd, ...args } };
}

export function writeStdin(session: number, chars: string, args: Record<string, unknown> = {}): ToolCall {
  return { tool: "write_stdin", args: { session_id: session, chars, ...args } };
}

const Request = z.looseObject({
  input: z.array(
    z.looseObject({ type: z.string(), call_id: z.optional(z.string()), output: z.optional(z.unknown()) }),
  ),
});

/**
 * The model's side of the Responses API on loopback, as much of it as `codex exec` needs: every POST is answered
 * with one streamed turn of the script. A script that throws ends the conversation; `failure` keeps the reason.
 */
export class MockModel implements AsyncDisposable {
  /** Every request body, as it came. */
  readonly requests: unknown[] = [];
  readonly answers: ToolAnswer[] = [];
  failure: unknown = undefined;

  #script: Script;
  #pendingCall: string | null = null;
  #server: Bun.Server<undefined>;

  constructor(script: Script) {
    this.#script = script;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        if (request.method !== "POST" || !new URL(request.url).pathname.endsWith("/responses")) {
          return new Response(null, { status: 404 });
        }
        return this.#turn(await request.json());
      },
    });
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#server.port}/v1`;
  }

  #turn(body: unknown): Response {
    this.requests.push(body);
    const id = `turn_${this.requests.length}`;
    try {
      const step = this.#pendingCall === null ? this.#script.next() : this.#script.next(this.#answerTo(body));
      if (step.done) {
        this.#pendingCall = null;
        return stream(id, message(step.value));
      }
      this.#pendingCall = `call_${this.requests.length}`;
      return stream(id, functionCall(this.#pendingCall, step.value));
    } catch (error) {
      // The first reason is the one to tell: what follows it is only its echo.
      this.failure ??= error;
      this.#pendingCall = null;
      return stream(id, message("The script failed"));
    }
  }

  #answerTo(body: unknown): ToolAnswer {
    const items = Request.parse(body).input;
    const item = items.find(({ type, call_id }) =>
      type === "function_call_output" && call_id === this.#pendingCall
    );
    if (typeof item?.output !== "string") throw new Error(`No output came back for ${this.#pendingCall}`);
    const answer = readToolAnswer(item.output);
    this.answers.push(answer);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

function message(text: string): object {
  return { type: "message", role: "assistant", content: [{ type: "output_text", text }] };
}

function functionCall(callId: string, call: ToolCall): object {
  return { type: "function_call", call_id: callId, name: call.tool, arguments: JSON.stringify(call.args) };
}

/** One whole turn as the events a client waits for: created, the item, completed. */
function stream(id: string, item: object): Response {
  const usage = {
    input_tokens: 1,
    input_tokens_details: null,
    output_tokens: 1,
    output_tokens_details: null,
    total_tokens: 2,
  };
  const events = [
    { type: "response.created", response: { id } },
    { type: "response.output_item.done", item: { id: `item_of_${id}`, ...item } },
    { type: "response.completed", response: { id, usage } },
  ];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
