import { decodeBase64 } from "../wire/base64.ts";
import { MAX_LISTING_BYTES } from "../wire/files_v1_messages.ts";
import { checkHandleId } from "./file_handles.ts";
import { changes, reads } from "./file_order.ts";
import { listingInWords } from "./files_v1_words.ts";
import { done, found } from "./found.ts";
import { nativePath } from "./native_path.ts";
import type { Routes } from "./route.ts";
import { filesFor } from "./sandboxed_files.ts";

export type FilesV1Method = `fs/${
  | "rename"
  | "chmod"
  | "utimes"
  | "symlink"
  | "append"
  | "setAttributes"
  | "list"
  | "watch"
  | "unwatch"}`;

/** What `files.v1` adds to `fs/*`: wire words in, files out. */
export const filesV1Routes: Pick<Routes, FilesV1Method> = {
  "fs/rename"({ sourcePath, destinationPath, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "changes");
    const [from, to] = [nativePath(sourcePath), nativePath(destinationPath)];
    return done(
      order.run([...changes(from), ...changes(to)], () => reach.use((files) => files.rename(from, to))),
    );
  },

  "fs/chmod"({ path: uri, mode, followSymlinks, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "changes");
    const path = nativePath(uri);
    const follow = { followSymlinks: followSymlinks ?? true };
    return done(order.run(changes(path), () => reach.use((files) => files.setMode(path, mode, follow))));
  },

  "fs/utimes"({ path: uri, accessedAtMs, modifiedAtMs, followSymlinks, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "changes");
    const path = nativePath(uri);
    const times = accessedAtMs === null ? { modifiedAtMs } : { accessedAtMs, modifiedAtMs };
    const follow = { followSymlinks: followSymlinks ?? true };
    return done(order.run(changes(path), () => reach.use((files) => files.setTimes(path, times, follow))));
  },

  "fs/symlink"({ path: uri, targetBase64, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "changes");
    const path = nativePath(uri);
    const target = decodeBase64(targetBase64);
    return done(order.run(changes(path), () => reach.use((files) => files.createSymlink(path, target))));
  },

  "fs/append"({ path: uri, dataBase64, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "changes");
    const path = nativePath(uri);
    const bytes = decodeBase64(dataBase64);
    return done(order.run(changes(path), () => reach.use((files) => files.append(path, bytes))));
  },

  "fs/setAttributes"({ handleId, ...given }, { files: { order, handles, behind } }) {
    checkHandleId(handleId);
    const attributes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
    return done(order.run(behind(handleId), () => handles.setAttributes(handleId, attributes)));
  },

  "fs/list"({ path: uri, metadata = false, sandbox }, { files: { order, allowance } }) {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    const list = async () => {
      await allowance.take(MAX_LISTING_BYTES);
      try {
        return await reach.use(async (files) =>
          listingInWords(await files.readDirectory(path, { all: true, metadata }))
        );
      } catch (error) {
        allowance.giveBack(MAX_LISTING_BYTES);
        throw error;
      }
    };
    return found(order.run(reads(path), list), (words) => {
      allowance.giveBack(MAX_LISTING_BYTES);
      return words;
    });
  },

  "fs/watch"({ watchId, path: uri, sandbox }, { files: { order, fileWatches } }) {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    return found(
      order.run(reads(path), () => reach.use((files) => fileWatches.set(files, watchId, path))),
      (watching) => {
        if (watching) fileWatches.answered(watchId);
        return { watching };
      },
    );
  },

  "fs/unwatch"({ watchId }, { files: { fileWatches } }) {
    fileWatches.stop(watchId);
    return () => ({});
  },
};
