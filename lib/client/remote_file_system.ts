import type {
  Change,
  CreateDirectoryOptions,
  DirectoryEntry,
  FileAbilities,
  FileMetadata,
  FileSystem,
  FileTimes,
  FollowOptions,
  MetadataOptions,
  MissingPaths,
  MissingWatch,
  NativePath,
  OpenFile,
  OpenMode,
  OpenOptions,
  ReadDirectoryOptions,
  ReadOptions,
  RemoveOptions,
  WalkOptions,
  WalkSink,
  WalkSummary,
  Watch,
} from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { encodeBase64 } from "../wire/base64.ts";
import type { EnvironmentInfo } from "../wire/environment_messages.ts";
import {
  readCanonicalizeAnswer,
  readDone,
  readReadDirectoryAnswer,
  readWalkAnswer,
} from "../wire/fs_results.ts";
import { exactNames, LOST } from "./exact_names.ts";
import { pathIn, uriOf } from "./far_path.ts";
import { cannot, FileCalls, needFilesV1 } from "./file_calls.ts";
import { readWholeFile } from "./file_reader.ts";
import { readEntries, readFullMetadata, readMetadata, readSize } from "./files_v1_words.ts";
import { fsErrorOf } from "./fs_words.ts";
import { RemoteFileWatches } from "./remote_file_watches.ts";
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
  readonly #fileWatches: RemoteFileWatches;
  #opened = 0;

  constructor(uplink: Uplink, private readonly info: EnvironmentInfo) {
    this.#calls = new FileCalls(uplink);
    this.#watches = new RemoteWatches(this.#calls, uplink);
    this.#fileWatches = new RemoteFileWatches(this.#calls, uplink);
  }

  async abilities(): Promise<FileAbilities> {
    const { agreed } = await this.#calls.connected();
    return { beyondCodex: agreed.has("files.v1") };
  }

  async readFile(path: NativePath, options: ReadOptions = {}): Promise<Uint8Array> {
    return await readWholeFile(this.#calls, this, path, options);
  }

  async writeFile(path: NativePath, bytes: Uint8Array, options: FollowOptions = {}): Promise<void> {
    // In blocks, the old content would be gone before it is known whether there is room for the new.
    const params = { path: uriOf(path), dataBase64: wholeInWords(bytes), ...this.#follow(options) };
    await this.#calls.call("fs/writeFile", params, readDone);
  }

  async append(path: NativePath, bytes: Uint8Array): Promise<void> {
    // In blocks, another's could come in between.
    const params = { path: uriOf(path), dataBase64: wholeInWords(bytes) };
    await this.#calls.callOurs("fs/append", params, readDone, "append to files");
  }

  async open(path: NativePath, mode: OpenMode, options: OpenOptions = {}): Promise<OpenFile> {
    const uri = uriOf(path);
    // An old server does not know the word, and would open it for reading.
    if (mode !== "read" && !this.#isNew) throw cannot("write files in blocks");
    const { link, agreed } = await this.#calls.connected();
    if (mode === "update" || options.private === true) needFilesV1(agreed, "write on in files");
    const handleId = `f${++this.#opened}`;
    const params = {
      ...{ handleId, path: uri },
      ...(mode === "read" ? {} : { mode }),
      ...(options.private === true ? { private: true } : {}),
    };
    try {
      const size = readSize(await link.call("fs/open", params), agreed);
      return new RemoteOpenFile(link, agreed, handleId, size);
    } catch (error) {
      throw fsErrorOf(error);
    }
  }

  async createDirectory(path: NativePath, options: CreateDirectoryOptions): Promise<void> {
    const { recursive } = options;
    const params = { path: uriOf(path), recursive, ...this.#follow(options) };
    await this.#calls.call("fs/createDirectory", params, readDone);
  }

  async createSymlink(path: NativePath, target: NativePath): Promise<void> {
    const params = { path: uriOf(path), targetBase64: encodeBase64(Buffer.from(target as string)) };
    await this.#calls.callOurs("fs/symlink", params, readDone, "make symbolic links");
  }

  async getMetadata(path: NativePath, options: MetadataOptions = {}): Promise<FileMetadata> {
    const params = { path: uriOf(path), ...this.#follow(options) };
    if (options.itself !== true) return await this.#calls.call("fs/getMetadata", params, readMetadata);
    const asked = { ...params, itself: true };
    return await this.#calls.callOurs("fs/getMetadata", asked, readFullMetadata, "tell of links themselves");
  }

  async setMode(path: NativePath, mode: number, options: FollowOptions = {}): Promise<void> {
    const params = { path: uriOf(path), mode, ...this.#follow(options) };
    await this.#calls.callOurs("fs/chmod", params, readDone, "change the mode of files");
  }

  async setTimes(path: NativePath, times: FileTimes, options: FollowOptions = {}): Promise<void> {
    const { accessedAtMs, modifiedAtMs } = times;
    const params = { path: uriOf(path), accessedAtMs, modifiedAtMs, ...this.#follow(options) };
    await this.#calls.callOurs("fs/utimes", params, readDone, "change the times of files");
  }

  async canonicalize(path: NativePath): Promise<NativePath> {
    const read = (result: unknown) => pathIn(readCanonicalizeAnswer(result).path);
    return await this.#calls.call("fs/canonicalize", { path: uriOf(path) }, read);
  }

  /**
   * Codex's wire has no word here for a name that is no UTF-8. Ours is asked once more in a way that has one; the names
   * of what is no file and no directory, of links to files, and of all at a Codex server come with U+FFFD instead.
   */
  async readDirectory(
    path: NativePath,
    { all = false, metadata = false }: ReadDirectoryOptions = {},
  ): Promise<readonly DirectoryEntry[]> {
    if (all) {
      const params = { path: uriOf(path), ...(metadata ? { metadata } : {}) };
      const read = (result: unknown) => readEntries(result, metadata);
      return await this.#calls.callOurs("fs/list", params, read, "list everything");
    }
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

  async rename(from: NativePath, to: NativePath): Promise<void> {
    const params = { sourcePath: uriOf(from), destinationPath: uriOf(to) };
    await this.#calls.callOurs("fs/rename", params, readDone, "rename files");
  }

  async watchMissing({ missing, present }: MissingPaths, onChange: () => void): Promise<MissingWatch | null> {
    if (this.info.capabilities.fsWatchMissing !== true) return null;
    const uris = { missing: missing.map(uriOf), present: present === null ? null : uriOf(present) };
    return await this.#watches.watch(uris, onChange);
  }

  async watch(path: NativePath, onChange: (change: Change) => void): Promise<Watch | null> {
    return await this.#fileWatches.watch(uriOf(path), onChange);
  }

  /** The servers before these knew neither how to write in blocks nor how not to follow links, and ignored both. */
  get #isNew(): boolean {
    return this.info.capabilities.fileWriteStreaming === true;
  }

  #follow({ followSymlinks = true }: FollowOptions): { followSymlinks?: false } {
    if (followSymlinks) return {};
    if (!this.#isNew) throw cannot("use paths without following links");
    return { followSymlinks };
  }
}

function wholeInWords(bytes: Uint8Array): string {
  if (bytes.length <= MAX_WHOLE_FILE_BYTES) return encodeBase64(bytes);
  const limit = `limit is ${MAX_WHOLE_FILE_BYTES} bytes`;
  throw new FsError("refused", `file is too large to be written at once: ${limit}`);
}
