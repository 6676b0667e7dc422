import type { FileSystem } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { bytePath, join } from "./byte_path.ts";
import { list, listFacts } from "./list.ts";
import { look } from "./look.ts";
import type { Side } from "./side.ts";

export interface FarPlace {
  readonly name: string;
  readonly files: FileSystem;
  /** Where its commands start, and where its user is at home; null where it does not tell. */
  readonly start: string | null;
  readonly home: string | null;
}

/** The files of a server. Resolves once it is known what it can. */
export async function farSide({ name, files, start, home }: FarPlace): Promise<Side> {
  const { beyondCodex: isBeyondCodex } = await files.abilities();
  return {
    name,
    files,
    isBeyondCodex,
    landmarks: [start, home].filter((path) => path !== null).map(bytePath),
    absolute(path) {
      if (path.startsWith("/")) return path;
      const [from, rest] = /^~(\/|$)/.test(path) ? [home, path.slice(2)] : [start ?? home, path];
      if (from !== null) return join(bytePath(from), rest);
      throw new FsError("refused", "the server does not tell where relative paths begin");
    },
    look: (path) => look(files, isBeyondCodex, path),
    list: (path) => list(files, isBeyondCodex, path),
    listFacts: (path) => listFacts(files, isBeyondCodex, path),
  };
}
