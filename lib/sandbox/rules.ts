import type { BytePath } from "./byte_path.ts";

/** What a sandbox shows of this machine, decided. Paths are resolved: no component is a symlink. */
export interface Rules {
  /**
   * What the view starts from, before its mounts. "whole-write": everything as it is, and never a mount: only
   * the network is confined. "whole-read": everything, read-only. "minimal": nothing but a fresh /dev and /proc;
   * whatever else is to be seen, the platform's directories too, stands among the mounts and links.
   */
  readonly view: "whole-write" | "whole-read" | "minimal";
  /**
   * Parents first, then bytewise; at most one a path. Of two that hold a path, the deeper one decides. A first
   * rule of "write" for "/" attaches nothing: the view of "whole-read" is then left as writable as the host is,
   * but for what the other rules narrow. There is never another rule for "/".
   */
  readonly mounts: readonly MountRule[];
  /**
   * Only with "minimal": symlinks to be made, so that paths asked for through them are found (/bin → usr/bin).
   * None stands where a mount shows the host's own.
   */
  readonly links: readonly { readonly path: BytePath; readonly target: string }[];
  readonly network: "restricted" | "enabled";
  /** All may be read, all may be written, with no exception anywhere. */
  readonly whole: { readonly read: boolean; readonly write: boolean };
}

export type MountRule =
  /** Is there on the host, as a file or a directory, and is attached again so. */
  | { readonly kind: "write" | "read"; readonly path: BytePath }
  /** `reopened`: every path below it with a "read" or "write" of its own that must stay reachable through it. */
  | { readonly kind: "deny-directory"; readonly path: BytePath; readonly reopened: readonly BytePath[] }
  | { readonly kind: "deny-file"; readonly path: BytePath }
  /** Is not there, and must not be made: a protected name or a denied path below something writable. Its parent is there. */
  | { readonly kind: "absent"; readonly path: BytePath };
