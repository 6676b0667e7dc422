import { discover, type Discovered, nothing } from "../capability/discovery.ts";
import { AnswerRoom } from "../capability/text_files.ts";
import { type FileUri, fileUriFromPath } from "../wire/file_uri.ts";
import { MAX_MESSAGE_BYTES } from "../wire/message_limits.ts";
import type { SandboxContext } from "../wire/sandbox_messages.ts";
import { INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { nativePath } from "./native_path.ts";
import type { Routes } from "./route.ts";
import { filesFor } from "./sandboxed_files.ts";

const MAX_ROOTS = 128;
const ROOTS_AT_ONCE = 8;
/** Contents in one answer, with room for the names around them. */
const MAX_ANSWER_BYTES = MAX_MESSAGE_BYTES / 4 * 3;

/** `capabilityRoots/*`: wire words in, what was found out. */
export const capabilityRoutes: Pick<Routes, "capabilityRoots/discoverV1"> = {
  async "capabilityRoots/discoverV1"({ roots }, { discoveries, gone }) {
    if (roots.length > MAX_ROOTS) {
      throw new WireError(INVALID_REQUEST, `capability root discovery accepts at most ${MAX_ROOTS} roots`);
    }
    // One after the other: each may hold as much as fits into a message.
    const release = await discoveries.take(gone);
    try {
      const answer = new AnswerRoom(MAX_ANSWER_BYTES);
      const found = await inParallel(roots, async ({ id, path, sandbox }) => {
        if (gone.aborted) throw new WireError(INVALID_REQUEST, "connection closed");
        return { id, path: path.href, ...await discoverRoot(path, sandbox, answer) };
      });
      return () => {
        release();
        return { roots: found };
      };
    } catch (error) {
      release();
      throw error;
    }
  },
};

async function discoverRoot(
  uri: FileUri,
  sandbox: SandboxContext | null,
  answer: AnswerRoom,
): Promise<Discovered> {
  try {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    return await reach.use((files) => discover(path, files, (named) => fileUriFromPath(named).href, answer));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return nothing(`failed to inspect capability root ${uri.href}: ${error.message}`);
  }
}

/** In the order of the items, a few at a time. */
async function inParallel<Item, Result>(items: readonly Item[], act: (item: Item) => Promise<Result>) {
  const results: Result[] = new Array(items.length);
  const left = items.entries();
  const work = async () => {
    for (const [index, item] of left) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: ROOTS_AT_ONCE }, work));
  return results;
}
