import { later, nullable, optional, struct, text, texts, unchecked } from "./message_fields.ts";
import type { EnvironmentInfo } from "./environment_messages.ts";

export const initializeParams = later(() =>
  struct("InitializeParams", {
    clientName: text(),
    resumeSessionId: nullable(text()),
    /** Ours: what the client can beyond Codex. */
    extensions: optional(texts(), []),
    /** Ours, and judged only with `processes.v1`: its processes are seen by who names the same. */
    ownerToken: unchecked(),
  })
);

export interface InitializeResult {
  readonly sessionId: string;
  readonly environmentInfo: EnvironmentInfo;
  /** Ours, and only for a client that named some: what both can. */
  readonly extensions?: readonly string[];
  readonly flow?: { readonly windowBytes: number };
  /** With `outcome.v1`: what can be enforced there. */
  readonly trees?: {
    readonly tier: string;
    readonly limits: readonly string[];
    readonly failing: string | null;
  };
}
