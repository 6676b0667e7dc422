import { createHash } from "node:crypto";
import { type BytePath, join, parentOf } from "./byte_path.ts";

/** What comes to a place: two copies with the same are taken to bring the same bytes. */
export interface Origin {
  /** The machine, and the path there. */
  readonly source: string;
  /** Changes when the content does. */
  readonly version: string;
}

/** A path, and a stem that all versions of one source have in common there. */
export interface PartName {
  readonly path: BytePath;
  readonly stem: string;
}

/** The name under which a file arrives beside its place. null: one that nobody else has. */
export function partBeside(path: BytePath, origin: Origin | null): PartName {
  const stem = `.exec-server-${digest(`${path}\0${origin?.source ?? crypto.randomUUID()}`)}-`;
  return { path: join(parentOf(path), `${stem}${digest(origin?.version ?? "")}.part`), stem };
}

/** The stem of a name that a part has; null for all others. */
export function stemOf(name: BytePath): string | null {
  return /^(\.exec-server-[0-9a-f]{16}-)[0-9a-f]{16}\.part$/.exec(name)?.[1] ?? null;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
