import type { Soon } from "../../lib/fs/file_system.ts";
import type { BlockSink } from "./blocks.ts";
import type { BytePath } from "./byte_path.ts";
import type { KeptBeginning } from "./kept_beginning.ts";
import type { Origin } from "./part_name.ts";
import type { Facts } from "./side.ts";

/** How a file comes to be at its place: under another name until it is whole. */
export interface Arrival extends BlockSink {
  /** What the names of all its versions at this place begin with; null where nothing of it is ever left. */
  readonly stem: string | null;
  /**
   * What a broken connection does to what has arrived: it stays and nothing needs to be begun again; or a new
   * beginning goes on with it; or a new beginning starts from nothing.
   */
  readonly afterLoss: "stays" | "goesOn" | "startsAgain";
  /** What `begin` has found of it, where that can be read again; null elsewhere. */
  readonly kept: KeptBeginning | null;
  /** Tells how much of it is there from before; `whole`: all of it, and only the last step is missing. */
  begin(): Soon<number | "whole">;
  /** It is whole: it takes its place. `source` is what is known of the original. */
  finish(length: number, source: Facts | null): Soon<void>;
  /** It will not become whole in this run. `keep`: what is there may stay for a later one. */
  abandon(keep: boolean): Soon<Kept | null>;
}

/** What stays for a later run of the same copy. */
export interface Kept {
  readonly path: BytePath;
  /** At least so much of it. */
  readonly bytes: number;
}

export interface ArrivalOptions {
  readonly path: BytePath;
  /** What is there now. */
  readonly existing: Facts | null;
  /** What is known of the original before it comes; null for a stream. */
  readonly source: Facts | null;
  /** null: no later copy can go on. */
  readonly origin: Origin | null;
}
