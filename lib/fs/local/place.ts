/** As node:fs takes it. */
export type SystemPath = string | Buffer;

/** What calls of node:fs may be given, until it is let go of. */
export interface Named extends Disposable {
  readonly path: SystemPath;
}

/**
 * A name, held so that nobody changes in which directory it is. `path` is for calls that do not follow a link of that
 * name.
 */
export interface Spot extends Named {
  /** Opens what has the name, or what a link of that name leads to. Throws FsError. */
  open(flags: number, mode?: number): number;
  /**
   * To be asked before it is removed, or another one gets its name. Throws FsError for a mount point, where the
   * system would not see that it is one.
   */
  checkMovable(): void;
}

/** A directory that is held: `path` names what is in it, or the directory itself by an empty name. */
export interface Directory {
  readonly fd: number | null;
  path(name?: string): SystemPath;
}

/** Where paths lead: to all of this machine, or to what is beneath a directory. All that fails throws FsError. */
export interface Place {
  open(path: SystemPath, flags: number, mode?: number): number;
  /** What the path leads to, for calls that would follow links. */
  target(path: SystemPath): Named;
  /** `links`: what is to be done with those on the way to the name. */
  spot(path: SystemPath, links?: "follow" | "refuse"): Spot;
  /** Held as long as the directory is. An empty name is the directory itself. */
  spotIn(directory: Directory, name: string): Spot;
  /** Without links and dots. */
  canonical(path: SystemPath): Buffer;
}
