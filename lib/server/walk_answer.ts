import type { NativePath, WalkItem } from "../fs/file_system.ts";
import type { FileUri } from "../wire/file_uri.ts";
import type { WrittenResult } from "../wire/envelope.ts";
import { writeWalkEntry, writeWalkError, writeWalkResult, WrittenList } from "../wire/fs_lists.ts";
import { MAX_WALK_ANSWER, WALK_ITEM_COST, type WalkResult } from "../wire/fs_messages.ts";
import { encodeNativeBytes, isWrittenAsItIs } from "../wire/percent_code.ts";

/** Collects what a walk finds, in the protocol's words, until the answer is full. */
export class WalkAnswer {
  readonly #entries = new WrittenList();
  readonly #errors = new WrittenList();
  /** What every path begins with: the root as the peer has spelled it. */
  readonly #prefix: string;
  #cost = 0;

  constructor(private readonly root: FileUri) {
    // Of the root directory itself the slashes are all there is.
    const spelled = root.href.replace(/(?<=[^/:])\/+$/, "");
    this.#prefix = spelled.endsWith("/") ? spelled : `${spelled}/`;
  }

  /** false: there is no room for it. */
  take(item: WalkItem): boolean {
    const path = this.#uriOf(item.path);
    const message = item.kind === "error" ? item.message : "";
    this.#cost += path.length + message.length + WALK_ITEM_COST;
    if (this.#cost > MAX_WALK_ANSWER) return false;
    if (item.kind === "error") this.#errors.add(writeWalkError({ path, message }));
    else this.#entries.add(writeWalkEntry({ path, kind: item.kind }));
    return true;
  }

  result(truncated: boolean): WrittenResult<WalkResult> {
    return writeWalkResult(this.#entries, this.#errors, truncated);
  }

  #uriOf(path: NativePath): string {
    if (path.length === 0) return this.root.href;
    if (typeof path === "string" && isWrittenAsItIs(path)) return this.#prefix + path;
    return this.#prefix + encodeNativeBytes(typeof path === "string" ? Buffer.from(path) : path);
  }
}
