/** Why a call has no result. */
export type CallErrorCode =
  | "ended" // the connection ended before the answer
  | "deadline" // no answer in time
  | "limit" // too many calls wait already
  | "malformed"; // an answer, but not one of this protocol

/** A call that the peer did not answer. What the peer refused is a WireError instead. */
export class CallError extends Error {
  override readonly name = "CallError";
  constructor(readonly code: CallErrorCode, message: string) {
    super(message);
  }
}
