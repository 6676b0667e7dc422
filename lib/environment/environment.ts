import type { FileSystem } from "../fs/file_system.ts";
import type { HttpClient } from "../http/http_client.ts";
import type { Abilities, ProcessHandle, StartOptions } from "../process/backend.ts";
import type { KeptProcesses } from "../process/kept_processes.ts";
import type { Intent } from "../sandbox/intent.ts";
import type { LinkState } from "./far_client.ts";

export const LOCAL_ENVIRONMENT_ID = "local";
export const REMOTE_ENVIRONMENT_ID = "remote";

/** What an agent is told when a tool needs a place and there is none. */
export const NO_ENVIRONMENT =
  "No usable execution environment is available. Wait for an environment to become available before using this tool.";

/** What an environment may be used for; tools that need more are not offered. */
export interface Capabilities {
  readonly execEnabled: boolean;
  readonly filesystemEnabled: boolean;
}

export const ALL_CAPABILITIES: Capabilities = { execEnabled: true, filesystemEnabled: true };

/** What can be done where there is no environment. */
export const NO_CAPABILITIES: Capabilities = { execEnabled: false, filesystemEnabled: false };

export type EnvironmentStatus =
  | { readonly kind: "ready" }
  | { readonly kind: "pending" }
  | { readonly kind: "disconnected"; readonly error: string };

export type ConnectionState = "connected" | "disconnected";

/** What a place is. Paths are its own; null is what it does not tell. */
export interface EnvironmentInfo {
  readonly shell: { readonly name: string; readonly path: string };
  readonly version: string | null;
  readonly platform: string | null;
  /** Where its commands start unless told otherwise. */
  readonly cwd: string | null;
  readonly home: string | null;
  readonly tempDir: string | null;
  /** What it says it can, by Codex's names. */
  readonly features: readonly string[];
  /** What it can beyond Codex, agreed between it and us. Nothing at a plain Codex server; null right here. */
  readonly extensions: readonly string[] | null;
}

/** Starts processes in an environment, and ends with it. */
export interface EnvironmentBackend {
  abilities(): Promise<Abilities>;
  /**
   * As of a backend; whatever is wrong is told by a rejection, here too. With an intent it runs confined to that, or not
   * at all. What it restricts is a path of the place where it runs.
   */
  start(options: StartOptions, sandbox?: Intent | null): Promise<ProcessHandle>;
}

export interface UseOptions {
  /** False: never connects and never waits for a connection; fails at once where there is none. Default true. */
  readonly reconnect?: boolean;
}

/** A place where commands run: this machine, or a server. Whoever made it disposes it, and its processes with it. */
export interface Environment extends AsyncDisposable {
  readonly id: string;
  readonly isRemote: boolean;
  readonly capabilities: Capabilities;
  /** Asking takes no connection; using it does. Throws an EnvironmentError where commands are not allowed. */
  backend(options?: UseOptions): EnvironmentBackend;
  /** Its files. Throws an EnvironmentError where they are not to be touched. */
  fileSystem(options?: UseOptions): FileSystem;
  /** Makes requests from there. */
  http(options?: UseOptions): HttpClient;
  /**
   * The processes that are kept there. null where nothing outlives whoever starts it: right here, at a plain Codex server,
   * and at a program that serves on its stdio.
   */
  kept(options?: UseOptions): Promise<KeptProcesses | null>;
  /** Connects where that is needed. */
  info(): Promise<EnvironmentInfo>;
  /** Never starts or repairs a connection, and is never remembered. */
  status(): Promise<EnvironmentStatus>;
  /** Resolves once it can be used; rejects with an EnvironmentError when it cannot. */
  waitUntilReady(): Promise<void>;
  /** Whether its first attempt has ended, well or not. */
  readonly startupFinished: boolean;
  /** Told on change only; it begins as `disconnected`. null here, where there is nothing to lose. */
  onConnectionState(listener: (state: ConnectionState) => void): (() => void) | null;
  /** The same with what a user wants to read: attempts and causes. */
  onLinkState(listener: (state: LinkState) => void): (() => void) | null;
}
