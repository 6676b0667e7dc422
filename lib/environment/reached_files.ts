import type {
  CreateDirectoryOptions,
  FileSystem,
  FollowOptions,
  MissingPaths,
  NativePath,
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

  async readFile(path: NativePath, options?: ReadOptions) {
    return await (await this.reach()).readFile(path, options);
  }

  async writeFile(path: NativePath, bytes: Uint8Array, options?: FollowOptions) {
    return await (await this.reach()).writeFile(path, bytes, options);
  }

  async open(path: NativePath, mode: "read" | "replace") {
    return await (await this.reach()).open(path, mode);
  }

  async createDirectory(path: NativePath, options: CreateDirectoryOptions) {
    return await (await this.reach()).createDirectory(path, options);
  }

  async getMetadata(path: NativePath, options?: FollowOptions) {
    return await (await this.reach()).getMetadata(path, options);
  }

  async canonicalize(path: NativePath) {
    return await (await this.reach()).canonicalize(path);
  }

  async readDirectory(path: NativePath) {
    return await (await this.reach()).readDirectory(path);
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

  async watchMissing(paths: MissingPaths, onChange: () => void) {
    return await (await this.reach()).watchMissing(paths, onChange);
  }
}
