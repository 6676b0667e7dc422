import { Peer } from "./peer.ts";
import { FAILURE_DEADLINE_MS } from "./peer_deadline.ts";
import { refusal, RefusedCall } from "./peer_conversation.ts";

export const STILL_ATTACHED = -32010;

/**
 * A new connection that takes up a session whose old connection has just ended. The server may need a moment to notice that
 * end, so a refusal with -32010 is tried again, as clients do.
 */
export async function resume(url: string, sessionId: string, withinMs = FAILURE_DEADLINE_MS): Promise<Peer> {
  const deadline = performance.now() + withinMs;
  const peer = await Peer.connect(url);
  for (;;) {
    try {
      await peer.initialize(sessionId);
      return peer;
    } catch (error) {
      const attached = error instanceof RefusedCall && error.body.code === STILL_ATTACHED;
      if (!attached || performance.now() > deadline) {
        await peer.hangUp();
        throw error;
      }
      await Bun.sleep(2);
    }
  }
}

/** The refusal of a resume on a connection of its own. */
export async function refusedResume(
  url: string,
  sessionId: string,
): Promise<{ code: number; message: string }> {
  await using peer = await Peer.connect(url);
  return await refusal(peer.initialize(sessionId));
}
