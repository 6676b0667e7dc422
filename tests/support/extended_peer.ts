import { EXTENSIONS } from "../../lib/wire/extensions.ts";
import { Peer } from "./peer.ts";

/** A peer that names extensions when it introduces itself, and what it was answered. */
export async function extended(
  url: string,
  extensions: readonly string[] = EXTENSIONS,
  resumeSessionId?: string,
) {
  const peer = await Peer.connect(url);
  const result = await peer.call<Record<string, unknown>>("initialize", {
    clientName: "extended",
    resumeSessionId: resumeSessionId ?? null,
    extensions,
  });
  peer.notify("initialized", {});
  return { peer, result };
}
