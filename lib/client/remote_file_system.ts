import type {
  CreateDirectoryOptions,
  DirectoryEntry,
  FileMetadata,
  FileSystem,
  FollowOptions,
  MissingPaths,
  MissingWatch,
  NativePath,
  OpenFile,
  ReadOptions,
  RemoveOptions,
  WalkOptions,
  WalkSink,
  WalkSummary,
} from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { encodeBase64 } from "../wire/base64.ts";
import type { EnvironmentInfo } from "../wire/environment_messages.ts";
import {
  readCanonicalizeAnswer,
  readDone,
  readGetMetadataAnswer,
  readReadDirectoryAnswer,
  readWalkAnswer,
} from "../wire/fs_results.ts";
import { exactNames, LOST } from "./exact_names.ts";
import { pathIn, uriOf } from "./far_path.ts";
import { FileCalls } from "./file_calls.ts";
import { readWholeFile } from "./file_reader.ts";
import { fsErrorOf } from "./fs_words.ts";
import { RemoteOpenFile } from "./remote_open_file.ts";
import { RemoteWatches } from "./remote_watches.ts";
import type { Uplink } from "./uplink.ts";
import { MAX_WHOLE_FILE_BYTES } from "./whole_file_limit.ts";
import { tellWalk } from "./walk_story.ts";

/**
 * The files of a server. Every call is sent once: what was under way when the connection was lost fails, reads too,
 * and so do the files that were open. A call made while it is being recovered waits for that.
 */
export class RemoteFileSystem implements FileSystem {
  readonly #calls: FileCalls;
  readonly #watches: RemoteWatches;
  #opened = 0;

  constructor(uplink: Uplink, private readonly info: EnvironmentInfo) {
    this.#calls = new FileCalls(uplink);
    this.#watches = new RemoteWatches(this.#calls, uplink);
  }

  async readFile(path: NativePath, options: ReadOptions = {}): Promise<Uint8Array> {
    return await readWholeFile(this.#calls, this, path, options);
  }

  async writeFile(path: NativePath, bytes: Uint8Array, options: FollowOptions = {}): Promise<void> {
    if (bytes.length > MAX_WHOLE_FILE_BYTES) {
      // In blocks, the old content would be gone before it is known whether there is room for the new.
      const limit = `limit is ${MAX_WHOLE_FILE_BYTES} bytes`;
      throw new FsError("refused", `file is too large to be written at once: ${limit}`);
    }
    const params = { path: uriOf(path), dataBase64: encodeBase64(bytes), ...this.#follow(options) };
    await this.#calls.call("fs/writeFile", params, readDone);
  }

  async open(path: NativePath, mode: "read" | "replace"): Promise<OpenFile> {
    const uri = uriOf(path);
    // An old server does not know the word, and would open it for reading.
    if (mode === "replace" && !this.#isNew) throw unsupported("write files in blocks");
    const { link } = await this.#calls.connected();
    const handleId = `f${++this.#opened}`;
    try {
      await link.call("fs/open", { handleId, path: uri, ...(mode === "read" ? {} : { mode }) });
    } catch (error) {
      throw fsErrorOf(error);
    }
    return new RemoteOpenFile(link, handleId);
  }

  async createDirectory(path: NativePath, options: CreateDirectoryOptions): Promise<void> {
    const { recursive } = options;
    const params = { path: uriOf(path), recursive, ...this.#follow(options) };
    await this.#calls.call("fs/createDirectory", params, readDone);
  }

  async getMetadata(path: NativePath, options: FollowOptions = {}): Promise<FileMetadata> {
    const params = { path: uriOf(path), ...this.#follow(options) };
    return await this.#calls.call("fs/getMetadata", params, readGetMetadataAnswer);
  }

  async canonicalize(path: NativePath): Promise<NativePath> {
    const read = (result: unknown) => pathIn(readCanonicalizeAnswer(result).path);
    return await this.#calls.call("fs/canonicalize", { path: uriOf(path) }, read);
  }

  /**
   * The wire has no word here for a name that is no UTF-8. Ours is asked once more in a way that has one; the names
   * of what is no file and no directory, of links to files, and of all at a Codex server come with U+FFFD instead.
   */
  async readDirectory(path: NativePath): Promise<readonly DirectoryEntry[]> {
    const { entries } = await this.#calls.call(
      "fs/readDirectory",
      { path: uriOf(path) },
      readReadDirectoryAnswer,
    );
    const found = entries.map(({ fileName, isDirectory, isFile }) => ({
      name: fileName,
      isDirectory,
      isFile,
    }));
    return found.some(({ name }) => name.includes(LOST)) ? await exactNames(this, path, found) : found;
  }

  /** Errors come last. */
  async walk(root: NativePath, options: WalkOptions, sink: WalkSink): Promise<WalkSummary> {
    const path = uriOf(root);
    const { maxDepth, maxDirectories, maxEntries, followDirectorySymlinks, pruneHiddenDirectories } = options;
    const limits = { maxDepth, maxDirectories, maxEntries };
    const params = { path, options: { ...limits, followDirectorySymlinks, pruneHiddenDirectories } };
    const read = (result: unknown) => tellWalk(path, readWalkAnswer(result), sink);
    return await this.#calls.call("fs/walk", params, read);
  }

  async remove(path: NativePath, options: RemoveOptions): Promise<void> {
    const { recursive, force } = options;
    const params = { path: uriOf(path), recursive, force, ...this.#follow(options) };
    await this.#calls.call("fs/remove", params, readDone);
  }

  async copy(
    source: NativePath,
    destination: NativePath,
    { recursive }: { readonly recursive: boolean },
  ): Promise<void> {
    const params = { sourcePath: uriOf(source), destinationPath: uriOf(destination), recursive };
    await this.#calls.call("fs/copy", params, readDone);
  }

  async watchMissing({ missing, present }: MissingPaths, onChange: () => void): Promise<MissingWatch | null> {
    if (this.info.capabilities.fsWatchMissing !== true) return null;
    const uris = { missing: missing.map(uriOf), present: present === null ? null : uriOf(present) };
    return await this.#watches.watch(uris, onChange);
  }

  /** The servers before these knew neither how to write in blocks nor how not to follow links, and ignored both. */
  get #isNew(): boolean {
    return this.info.capabilities.fileWriteStreaming === true;
  }

  #follow({ followSymlinks = true }: FollowOptions): { followSymlinks?: false } {
    if (followSymlinks) return {};
    if (!this.#isNew) throw unsupported("use paths without following links");
    return { followSymlinks };
  }
}

function unsupported(what: string): FsError {
  return new FsError("unsupported", `this exec-server cannot ${what}`);
}
