import type { Secret } from "./secret.ts";

/** Where a server is, and how to get in. */
export type EnvironmentSpec = UrlSpec | ProgramSpec;

export interface UrlSpec {
  readonly kind: "url";
  readonly url: string;
  readonly token?: Secret;
  /** Certificates to trust, in PEM. */
  readonly tlsCa?: string;
  readonly connectTimeoutMs?: number;
  readonly initializeTimeoutMs?: number;
}

/** A program that serves on its stdin and stdout: `ssh box exec-server serve --listen stdio`. */
export interface ProgramSpec {
  readonly kind: "program";
  readonly program: string;
  readonly args: readonly string[];
  /** On top of ours. */
  readonly env: Readonly<Record<string, string>>;
  /** An absolute path; null is our own directory. */
  readonly cwd: string | null;
  readonly initializeTimeoutMs?: number;
}
