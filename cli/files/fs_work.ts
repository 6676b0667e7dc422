import { FsError } from "../../lib/fs/fs_error.ts";
import type { Flags } from "../command.ts";
import { writeAll } from "../run/write_all.ts";
import type { BytePath } from "./byte_path.ts";
import { realPath } from "./same_file.ts";
import type { Facts, Side } from "./side.ts";

export const STDOUT = 1;

/** A path as it was written, and where that is. */
export interface Spot {
  readonly word: BytePath;
  readonly path: BytePath;
}

export interface Work {
  readonly side: Side;
  readonly flags: Flags;
  readonly json: boolean;
}

export type Verb = (work: Work, spot: Spot) => Promise<void>;

export async function mustBeThere(side: Side, path: BytePath): Promise<Facts> {
  const facts = await side.look(path);
  if (facts !== null) return facts;
  throw new FsError("system", "No such file or directory (os error 2)", "ENOENT");
}

export async function real(side: Side, path: BytePath): Promise<BytePath> {
  return await realPath({ side, path }) ?? path;
}

export async function print(text: string): Promise<void> {
  await writeAll(STDOUT, Buffer.from(text));
}
