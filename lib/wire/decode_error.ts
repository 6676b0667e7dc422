/** What a peer sent has the wrong shape. The text is for the peer, in Codex's words where it has some. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}
