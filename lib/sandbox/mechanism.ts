/** By which means of the kernel a start is confined. */
export type Mechanism =
  | {
    readonly kind: "namespaces";
    /** False where the server's own capabilities serve instead. */
    readonly userNamespace: boolean;
    /** False where the system lets nobody mount one: the host's is shown, read-only. */
    readonly freshProc: boolean;
  }
  /** For rules that confine the network and nothing else. */
  | { readonly kind: "seccomp" };

/** What is to be run, complete: nothing is inherited. */
export interface SandboxStart {
  /** Absolute, tried in this order as the search in a PATH goes. */
  readonly programs: readonly string[];
  /** The first is what the program is told it is called. */
  readonly argv: readonly (string | Uint8Array)[];
  readonly cwd: string | Uint8Array;
  readonly env: Readonly<Record<string, string>>;
  readonly tty: boolean;
}
