import { CallError } from "../rpc/call_error.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { WireError } from "../wire/wire_error.ts";

/** What can go wrong between a client and its server. */
export type ClientErrorCode =
  | "connect" // there is no connection
  | "timeout" // it took too long
  | "rejected" // the server said no
  | "disconnected" // the connection is gone, and what became of the call is unknown
  | "protocol" // the server does not speak as it should
  | "spawn"; // the server's program does not start

export class ClientError extends Error {
  override readonly name = "ClientError";
  /** `rejection` is what the server said where it said no. */
  constructor(readonly code: ClientErrorCode, message: string, readonly rejection: WireError | null = null) {
    super(message);
  }
}

/** What a failed call is to the client's caller: the one table of its texts. */
export function inClientWords(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  if (error instanceof WireError) {
    // Some servers say the end of a connection as an answer.
    if (error.code === -32_000 && error.message === "JSON-RPC transport closed") {
      return new ClientError("disconnected", "exec-server transport disconnected");
    }
    return new ClientError(
      "rejected",
      `exec-server rejected request (${error.code}): ${error.message}`,
      error,
    );
  }
  if (error instanceof CallError) {
    if (error.code === "ended") return new ClientError("disconnected", error.message);
    const code = error.code === "deadline" ? "timeout" : "protocol";
    return new ClientError(code, `exec-server protocol error: ${error.message}`);
  }
  if (error instanceof DecodeError) {
    return new ClientError(
      "protocol",
      `failed to serialize or deserialize exec-server JSON: ${error.message}`,
    );
  }
  throw error;
}
