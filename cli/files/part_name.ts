import { createHash } from "node:crypto";
import { type BytePath, join, parentOf } from "./byte_path.ts";
import { isWriterGone, writerTag } from "./part_writer.ts";

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
  const stem = `${placeStem(path)}${digest(origin?.source ?? crypto.randomUUID())}-`;
  return { path: join(parentOf(path), `${stem}${digest(origin?.version ?? "")}.part`), stem };
}

/** A name that nobody else has and nobody goes on with; it tells which process writes there, so that it can be known when that is gone. */
export function ownPartBeside(path: BytePath): BytePath {
  const stem = `${placeStem(path)}${digest(crypto.randomUUID())}-`;
  return join(parentOf(path), `${stem}${writerTag()}.part`);
}

/** What the name of a part tells. */
export interface PartFacts {
  /** What all parts for one place have in common. */
  readonly placeStem: string;
  readonly stem: string;
  /** Nobody will write to it any more, for sure. */
  readonly isLeft: boolean;
}

/** null for all other names. */
export function readPartName(name: BytePath): PartFacts | null {
  const found = /^(\.exec-server-[0-9a-f]{16}-)([0-9a-f]{16}-)(?:[0-9a-f]{16}|([0-9a-f]{8}-[0-9a-f]+))\.part$/
    .exec(name);
  if (found === null) return null;
  const [, place = "", source = "", tag] = found;
  return { placeStem: place, stem: place + source, isLeft: tag !== undefined && isWriterGone(tag) };
}

/** The beginning of a stem that other sources for its place have too. */
export function placeStemOf(stem: string): string {
  return stem.slice(0, -(DIGITS + 1));
}

function placeStem(path: BytePath): string {
  return `.exec-server-${digest(path)}-`;
}

const DIGITS = 16;

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, DIGITS);
}
