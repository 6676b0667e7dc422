/**
 * What a TypeScript program may import to run commands here or on a server, with the same words for both.
 *
 * An `Environment` is a place; `EnvironmentManager.fromEnv()` knows those that the user configured. `runCommand` runs
 * something to its end; `environment.backend().start(…)` gives the handle of a process to follow and to steer;
 * `environment.fileSystem()` and `environment.http()` are its files, and requests that are made from it.
 */
export { LocalEnvironment } from "./environment/local_environment.ts";
export { connectTo, remoteEnvironment } from "./environment/connect_remote.ts";
export { EnvironmentManager } from "./environment/environment_manager.ts";
export { runCommand } from "./environment/run_command.ts";
export { followProcess } from "./environment/follow_process.ts";
export { EnvironmentError } from "./environment/environment_error.ts";
export { readBlocks, writeBlocks } from "./fs/file_blocks.ts";
export { FsError } from "./fs/fs_error.ts";
export { HttpError } from "./http/http_error.ts";
export { ProcessError } from "./process/process_error.ts";
export { Secret } from "./environment/secret.ts";

export type { ConnectOptions } from "./environment/connect_remote.ts";
export type {
  Capabilities,
  ConnectionState,
  Environment,
  EnvironmentBackend,
  EnvironmentInfo,
  EnvironmentStatus,
} from "./environment/environment.ts";
export type { EnvironmentProvider, EnvironmentSnapshot } from "./environment/environment_provider.ts";
export type { EnvironmentSpec, ProgramSpec, UrlSpec } from "./environment/environment_spec.ts";
export type { DeferredRegistration, ReadyInfo } from "./environment/deferred_environment.ts";
export type { LinkState } from "./environment/far_client.ts";
export type { CommandResult, RunOptions } from "./environment/run_command.ts";
export type {
  Change,
  DirectoryEntry,
  FileAbilities,
  FileAttributes,
  FileMetadata,
  FileSystem,
  FileTimes,
  MissingWatch,
  MoreMetadata,
  NativePath,
  OpenFile,
  OpenMode,
  WalkItem,
  WalkOptions,
  Watch,
} from "./fs/file_system.ts";
export type { HttpBody, HttpClient, HttpRequest, HttpResponse } from "./http/http_client.ts";
export type {
  Abilities,
  EnvPolicy,
  ProcessHandle,
  Signal,
  StartOptions,
  TerminalSize,
} from "./process/backend.ts";
export type { Access, Intent } from "./sandbox/intent.ts";
export type { ProcessEvent } from "./process/process_event.ts";
export { version } from "./version.ts";
