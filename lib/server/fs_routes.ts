import { FsError } from "../fs/fs_error.ts";
import { MAX_MISSING_PATHS, type NativePath } from "../fs/file_system.ts";
import { localFileSystem } from "../fs/local/local_file_system.ts";
import { decodeBase64, encodeBase64 } from "../wire/base64.ts";
import { DecodeError } from "../wire/decode_error.ts";
import type { FileUri } from "../wire/file_uri.ts";
import { fileUriFromPath } from "../wire/file_uri.ts";
import {
  MAX_BLOCK_BYTES,
  type ReadBlockResult,
  writeReadBlockResult,
  writeReadFileResult,
} from "../wire/fs_messages.ts";
import { INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { withBlock } from "./block_rooms.ts";
import { checkHandleId } from "./file_handles.ts";
import { changes, reads } from "./file_order.ts";
import type { FilesV1Method } from "./files_v1_routes.ts";
import { metadataInWords, sizeInWords } from "./files_v1_words.ts";
import { done, found } from "./found.ts";
import { contentInWords, entriesInWords } from "./long_answers.ts";
import { nativePath } from "./native_path.ts";
import type { Routes } from "./route.ts";
import { filesFor } from "./sandboxed_files.ts";
import { WalkAnswer } from "./walk_answer.ts";

/** `fs/*`: wire words in, files out. */
export const fsRoutes: Pick<Routes, Exclude<Extract<keyof Routes, `fs/${string}`>, FilesV1Method>> = {
  "fs/readFile"({ path: uri, followSymlinks, sandbox }, { files: { order, allowance }, gone }) {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    let held = 0;
    const giveBack = () => {
      allowance.giveBack(held);
      held = 0;
    };
    const mayTake = async (bytes: number) => {
      await allowance.take(bytes);
      held = bytes;
      // Nobody waits for the answer any more, so nobody will write it.
      gone.addEventListener("abort", giveBack, { once: true });
    };
    const follow = followSymlinks ?? true;
    const bytes = order.run(
      reads(path),
      () => reach.use((files) => files.readFile(path, { followSymlinks: follow, mayTake })),
    );
    if (!(bytes instanceof Promise)) return () => writeReadFileResult(encodeBase64(bytes));
    return bytes.then((later) => contentInWords(later, { givenUp: gone })).then((words) => () => {
      gone.removeEventListener("abort", giveBack);
      giveBack();
      return words;
    }, (error) => {
      gone.removeEventListener("abort", giveBack);
      giveBack();
      throw error;
    });
  },

  "fs/writeFile"({ path: uri, dataBase64, followSymlinks, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "changes");
    const path = nativePath(uri);
    const bytes = fileContent(dataBase64);
    const follow = { followSymlinks: followSymlinks ?? true };
    return done(order.run(changes(path), () => reach.use((files) => files.writeFile(path, bytes, follow))));
  },

  "fs/open"(params, { files: { order, handles }, agreed }) {
    const { handleId, path: uri, mode, private: isPrivate, sandbox } = params;
    const reach = filesFor(sandbox, mode === "read" ? "reads" : "changes");
    checkHandleId(handleId);
    const path = nativePath(uri);
    const touched = [{ handle: handleId }, { path, changes: mode !== "read" }];
    const options = { private: isPrivate ?? false };
    const opened = order.run(
      touched,
      () => reach.use((files) => handles.open(files, handleId, path, mode, options)),
    );
    return found(opened, (size) => ({ handleId, ...sizeInWords(size, agreed) }));
  },

  "fs/readBlock"({ handleId, offset, len }, caller) {
    checkHandleId(handleId);
    checkBlock("read", len);
    const { order, handles, behind } = caller.files;
    const bytes = order.run(behind(handleId), () => handles.read(handleId, offset, len));
    return found<Uint8Array, ReadBlockResult>(bytes, (read) => writeReadBlockResult(read, read.length < len));
  },

  "fs/writeBlock"({ handleId, offset, chunk }, caller) {
    checkHandleId(handleId);
    return done(withBlock(chunk, (bytes) => {
      checkBlock("write", bytes.length);
      if (BigInt(offset) + BigInt(bytes.length) > LARGEST_OFFSET) {
        throw new WireError(
          INVALID_REQUEST,
          "file write range exceeds the signed 64-bit file offset limit",
        );
      }
      const { order, handles, behind } = caller.files;
      return order.run(behind(handleId), () => handles.write(handleId, offset, bytes));
    }));
  },

  "fs/close"({ handleId }, caller) {
    checkHandleId(handleId);
    const { order, handles, behind } = caller.files;
    return done(order.run(behind(handleId), () => handles.close(handleId)));
  },

  "fs/createDirectory"({ path: uri, recursive, followSymlinks, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "changes");
    const path = nativePath(uri);
    const options = { recursive: recursive ?? true, followSymlinks: followSymlinks ?? true };
    return done(order.run(changes(path), () => reach.use((files) => files.createDirectory(path, options))));
  },

  "fs/getMetadata"({ path: uri, followSymlinks, itself, sandbox }, { files: { order }, agreed }) {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    const options = { followSymlinks: followSymlinks ?? true, itself: itself ?? false };
    const metadata = order.run(reads(path), () => reach.use((files) => files.getMetadata(path, options)));
    return found(metadata, (known) => metadataInWords(known, agreed));
  },

  "fs/canonicalize"({ path: uri, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    return found(order.run(reads(path), () => reach.use((files) => files.canonicalize(path))), (real) => ({
      path: fileUriFromPath(real).href,
    }));
  },

  "fs/readDirectory"({ path: uri, sandbox }, { files: { order } }) {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    const listed = order.run(
      reads(path),
      () => reach.use(async (files) => entriesInWords(await files.readDirectory(path))),
    );
    return found(listed, (words) => words);
  },

  "fs/walk"({ path: uri, options, sandbox }, { files: { order }, gone }) {
    const reach = filesFor(sandbox, "reads");
    const path = nativePath(uri);
    const answer = new WalkAnswer(uri);
    const walked = order.run(
      reads(path),
      () =>
        reach.use((files) => files.walk(path, { ...options, givenUp: gone }, (item) => answer.take(item))),
    );
    return found(walked, ({ truncated }) => answer.result(truncated));
  },

  "fs/remove"({ path: uri, recursive, force, followSymlinks, sandbox }, { files: { order }, gone }) {
    const reach = filesFor(sandbox, "changes");
    const path = nativePath(uri);
    const options = {
      recursive: recursive ?? true,
      force: force ?? true,
      followSymlinks: followSymlinks ?? true,
      givenUp: gone,
    };
    return done(order.run(changes(path), () => reach.use((files) => files.remove(path, options))));
  },

  "fs/copy"({ sourcePath, destinationPath, recursive, sandbox }, { files: { order }, gone }) {
    const reach = filesFor(sandbox, "changes");
    const [source, destination] = [nativePath(sourcePath), nativePath(destinationPath)];
    const touched = [...reads(source), ...changes(destination)];
    return done(
      order.run(
        touched,
        () => reach.use((files) => files.copy(source, destination, { recursive, givenUp: gone })),
      ),
    );
  },

  "fs/watchMissing"({ watchId, missing, present }, { files: { order, watches } }) {
    const natives = missing.slice(0, MAX_MISSING_PATHS + 1).map(nativeOrNull);
    const known = present === null ? null : nativeOrNull(present);
    const canBe = known !== "foreign" && !natives.includes("foreign");
    const paths = natives.filter((path) => path !== "foreign");
    const watch = canBe ? { missing: paths, present: known } : null;
    return found(
      order.run(paths.flatMap(reads), () => watches.set(localFileSystem, watchId, watch)),
      (watching) => {
        if (watching) watches.answered(watchId);
        return { watching };
      },
    );
  },
};

const LARGEST_OFFSET = 2n ** 63n - 1n;

function checkBlock(what: "read" | "write", length: number): void {
  if (length >= 1 && length <= MAX_BLOCK_BYTES) return;
  throw new WireError(
    INVALID_REQUEST,
    `file ${what} block length must be between 1 and ${MAX_BLOCK_BYTES}`,
  );
}

function fileContent(dataBase64: string): Uint8Array {
  try {
    return decodeBase64(dataBase64);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new WireError(
      INVALID_REQUEST,
      `fs/writeFile requires valid base64 dataBase64: ${error.message}`,
    );
  }
}

function nativeOrNull(uri: FileUri): NativePath | "foreign" {
  try {
    return nativePath(uri);
  } catch (error) {
    if (error instanceof WireError || error instanceof FsError) return "foreign";
    throw error;
  }
}
