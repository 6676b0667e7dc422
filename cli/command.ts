import type { ExitStatus } from "./exit_status.ts";

/** One option of a command, as help and parsing read it. */
export interface Flag {
  readonly name: string;
  /** Its one-letter names, without dashes: `wC` is -w and -C. */
  readonly short?: string;
  /** Other long names that mean the same. */
  readonly aliases?: readonly string[];
  /** What its value is called; absent for a switch. */
  readonly value?: string;
  /** May be given more than once. */
  readonly repeats?: true;
  readonly summary: string;
}

/** What was given, by name without dashes. */
export interface Flags {
  has(name: string): boolean;
  /** The value of a flag that is given once; undefined when it is not given. */
  text(name: string): string | undefined;
  /** All values of one that repeats. */
  texts(name: string): readonly string[];
}

/** One command: everything that help, parsing and completion need, and its code behind a door opened on use. */
export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly details?: string;
  readonly flags: readonly Flag[];
  /** Its options end at the first word that is not one, for the words after it are somebody else's command. */
  readonly stopsAtWord?: true;
  /** Its options may be letters too, and may stand behind its words. */
  readonly optionsAnywhere?: true;
  run(flags: Flags, words: readonly string[]): Promise<ExitStatus>;
}
