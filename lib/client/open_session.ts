import type { Clock } from "../base/clock.ts";
import { LIMIT_NAMES, type TreeFacts } from "../process/limits.ts";
import { durationText } from "../rpc/caller.ts";
import { CallError } from "../rpc/call_error.ts";
import type { Transport } from "../rpc/transport.ts";
import { type InitializeAnswer, readInitializeAnswer } from "../wire/client_messages.ts";
import { agree, type Agreed, type Extension, FLOW_WINDOW_BYTES } from "../wire/extensions.ts";
import { ClientError, inClientWords } from "./client_error.ts";
import { Link, type LinkListener } from "./link.ts";

/** Opens a fresh physical connection. Rejects with a ClientError, or leaves quietly when given up. */
export type Dial = (givenUp: AbortSignal) => Promise<Transport>;

export interface SessionRequest {
  readonly dial: Dial;
  readonly clientName: string;
  readonly extensions: readonly Extension[];
  readonly initializeMs: number;
  readonly clock: Clock;
  readonly listener: LinkListener;
  /** null asks for a new session. */
  readonly resume: string | null;
  readonly givenUp: AbortSignal;
}

/** A connection that is through the handshake. */
export interface OpenSession {
  readonly link: Link;
  readonly sessionId: string;
  readonly agreed: Agreed;
  /** How much may be on its way and unacknowledged; only meant where `flow.v1` was agreed. */
  readonly windowBytes: number;
  /** What it can do about descendants and limits; only with `outcome.v1`. */
  readonly trees: TreeFacts | null;
  /** What the server said of itself unasked. */
  readonly environmentInfo: unknown;
}

/** Connects and introduces itself. Rejects with a ClientError, and then nothing is left open. */
export async function openSession(request: SessionRequest): Promise<OpenSession> {
  const { clock, listener, resume, givenUp } = request;
  const transport = await request.dial(givenUp);
  const link = new Link(transport, clock, listener);
  const leave = () => link.end("given up");
  givenUp.addEventListener("abort", leave);
  try {
    if (givenUp.aborted) leave();
    const answer = await initialize(link, request);
    if (resume !== null && answer.sessionId !== resume) {
      const text =
        `exec-server protocol error: exec-server initialized an unexpected session ${answer.sessionId}`;
      throw new ClientError("protocol", text);
    }
    link.notify("initialized", {});
    const { sessionId, environmentInfo } = answer;
    const agreed = agree(
      answer.extensions.filter((name) => request.extensions.some((asked) => asked === name)),
    );
    return {
      link,
      sessionId,
      agreed,
      windowBytes: answer.flow?.windowBytes ?? FLOW_WINDOW_BYTES,
      trees: treesIn(answer, agreed),
      environmentInfo,
    };
  } catch (error) {
    link.end("given up");
    throw inClientWords(error);
  } finally {
    givenUp.removeEventListener("abort", leave);
  }
}

/** Limits that we have no name for are nobody's. */
function treesIn({ trees }: InitializeAnswer, agreed: Agreed): TreeFacts | null {
  if (trees === null || !agreed.has("outcome.v1")) return null;
  return { ...trees, limits: LIMIT_NAMES.filter((name) => trees.limits.includes(name)) };
}

async function initialize(link: Link, request: SessionRequest): Promise<InitializeAnswer> {
  const { clientName, extensions, initializeMs, resume } = request;
  const params = {
    clientName,
    ...(resume === null ? {} : { resumeSessionId: resume }),
    ...(extensions.length === 0 ? {} : { extensions }),
  };
  try {
    return readInitializeAnswer(await link.call("initialize", params, { timeoutMs: initializeMs }));
  } catch (error) {
    if (!(error instanceof CallError && error.code === "deadline")) throw error;
    const text = `timed out waiting for exec-server initialize handshake after ${durationText(initializeMs)}`;
    throw new ClientError("timeout", text);
  }
}
