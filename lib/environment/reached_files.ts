import type {
  Change,
  CreateDirectoryOptions,
  FileSystem,
  FileTimes,
  FollowOptions,
  MetadataOptions,
  MissingPaths,
  NativePath,
  OpenMode,
  OpenOptions,
  ReadDirectoryOptions,
  ReadOptions,
  RemoveOptions,
  WalkOptions,
  WalkSink,
} from "../fs/file_system.ts";

/**
 * The files of a place, reached anew for every call: loaded here, or through whatever connection there is at that
 * moment. A place that cannot be reached rejects with an EnvironmentError.
 */
export class ReachedFiles implements FileSystem {
  constructor(private readonly reach: () => Promise<FileSystem>) {}

  async abilities() {
    return await (await this.reach()).abilities();
  }

  async readFile(path: NativePath, options?: ReadOptions) {
    return await (await this.reach()).readFile(path, options);
  }

  async writeFile(path: NativePath, bytes: Uint8Array, options?: FollowOptions) {
    return await (await this.reach()).writeFile(path, bytes, options);
  }

  async append(path: NativePath, bytes: Uint8Array) {
    return await (await this.reach()).append(path, bytes);
  }

  async open(path: NativePath, mode: OpenMode, options?: OpenOptions) {
    return await (await this.reach()).open(path, mode, options);
  }

  async createDirectory(path: NativePath, options: CreateDirectoryOptions) {
    return await (await this.reach()).createDirectory(path, options);
  }

  async createSymlink(path: NativePath, target: NativePath) {
    return await (await this.reach()).createSymlink(path, target);
  }

  async getMetadata(path: NativePath, options?: MetadataOptions) {
    return await (await this.reach()).getMetadata(path, options);
  }

  async setMode(path: NativePath, mode: number, options?: FollowOptions) {
    return await (await this.reach()).setMode(path, mode, options);
  }

  async setTimes(path: NativePath, times: FileTimes, options?: FollowOptions) {
    return await (await this.reach()).setTimes(path, times, options);
  }

  async canonicalize(path: NativePath) {
    return await (await this.reach()).canonicalize(path);
  }

  async readDirectory(path: NativePath, options?: ReadDirectoryOptions) {
    return await (await this.reach()).readDirectory(path, options);
  }

  async walk(root: NativePath, options: WalkOptions, sink: WalkSink) {
    return await (await this.reach()).walk(root, options, sink);
  }

  async remove(path: NativePath, options: RemoveOptions) {
    return await (await this.reach()).remove(path, options);
  }

  async copy(source: NativePath, destination: NativePath, options: { readonly recursive: boolean }) {
    return await (await this.reach()).copy(source, destination, options);
  }

  async rename(from: NativePath, to: NativePath) {
    return await (await this.reach()).rename(from, to);
  }

  async watchMissing(paths: MissingPaths, onChange: () => void) {
    return await (await this.reach()).watchMissing(paths, onChange);
  }

  async watch(path: NativePath, onChange: (change: Change) => void) {
    return await (await this.reach()).watch(path, onChange);
  }
}
