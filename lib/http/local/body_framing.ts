import type { ResponseHead } from "./response_head.ts";

/** How far a body goes, told piece by piece. */
export interface Framing {
  readonly isDone: boolean;
  /** Why nothing more can be told; what came before it is good. */
  readonly problem: Error | null;
  /** Whether more came than belongs to the body: nobody knows what the other side means by it. */
  readonly isOverrun: boolean;
  /** The body's own part of what came; what comes after the end of the body is left out. */
  decode(bytes: Uint8Array): Uint8Array;
  /** Nothing more comes. Throws an Error if that is too early. */
  close(): void;
}

const NOTHING = new Uint8Array();

/** Throws an Error where the head contradicts itself. */
export function framingOf(
  method: string,
  { status, headers }: Pick<ResponseHead, "status" | "headers">,
): Framing {
  const valuesOf = (name: string) =>
    headers.filter((header) => header.name === name).flatMap(({ value }) => value.split(",")).map((value) =>
      value.trim()
    );
  const lengths = valuesOf("content-length");
  if (lengths.some((length) => !/^\d{1,15}$/.test(length) || Number(length) !== Number(lengths[0]))) {
    throw new Error("the response has a malformed content-length");
  }
  const hasNoBody = method === "HEAD" || method === "CONNECT" && status < 300 || status < 200 ||
    status === 204 || status === 304;
  if (hasNoBody) return new Counted(0);
  const codings = valuesOf("transfer-encoding");
  if (codings.length > 0) return codings.at(-1)!.toLowerCase() === "chunked" ? new Chunked() : new UntilEnd();
  return lengths.length > 0 ? new Counted(Number(lengths[0])) : new UntilEnd();
}

class Counted implements Framing {
  readonly problem = null;
  isOverrun = false;

  constructor(private left: number) {}

  get isDone(): boolean {
    return this.left === 0;
  }

  decode(bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, this.left);
    this.left -= part.length;
    if (part.length < bytes.length) this.isOverrun = true;
    return part;
  }

  close(): void {
    if (this.left > 0) throw new Error(`the server hung up ${this.left} bytes before the end`);
  }
}

class UntilEnd implements Framing {
  readonly problem = null;
  readonly isOverrun = false;
  isDone = false;

  decode(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  close(): void {
    this.isDone = true;
  }
}

/** A size with its extensions, and all trailers together. */
const MAX_LINE_BYTES = 4 * 1024;
const MAX_TRAILER_BYTES = 64 * 1024;
const LF = 0x0a;

type Chunk =
  | { readonly state: "size" }
  | { readonly state: "data"; readonly left: number }
  | { readonly state: "data end" }
  | { readonly state: "trailers"; readonly bytes: number }
  | { readonly state: "done" }
  | { readonly state: "broken"; readonly why: string };

const MALFORMED: Chunk = { state: "broken", why: "the response has a malformed chunk" };

class Chunked implements Framing {
  isOverrun = false;
  #chunk: Chunk = { state: "size" };
  #line = "";

  get isDone(): boolean {
    return this.#chunk.state === "done";
  }

  get problem(): Error | null {
    return this.#chunk.state === "broken" ? new Error(this.#chunk.why) : null;
  }

  decode(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let rest = bytes;
    while (rest.length > 0 && this.#chunk.state !== "done" && this.#chunk.state !== "broken") {
      if (this.#chunk.state !== "data") {
        rest = this.#readLine(rest);
        continue;
      }
      const part = rest.subarray(0, this.#chunk.left);
      parts.push(part);
      rest = rest.subarray(part.length);
      const left = this.#chunk.left - part.length;
      this.#chunk = left > 0 ? { state: "data", left } : { state: "data end" };
    }
    if (rest.length > 0 && this.isDone) this.isOverrun = true;
    return parts.length > 1 ? Buffer.concat(parts) : parts[0] ?? NOTHING;
  }

  close(): void {
    if (this.#chunk.state !== "done") throw new Error("the server hung up before the last chunk");
  }

  /** Takes up to the end of a line, and what follows from the line when it is whole. */
  #readLine(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(LF);
    const part = end < 0 ? bytes : bytes.subarray(0, end);
    if (this.#line.length + part.length > MAX_LINE_BYTES) {
      this.#chunk = MALFORMED;
      return NOTHING;
    }
    this.#line += Buffer.from(part).toString("latin1");
    if (end < 0) return NOTHING;
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    this.#line = "";
    this.#chunk = afterLine(this.#chunk, line);
    return bytes.subarray(end + 1);
  }
}

function afterLine(chunk: Chunk, line: string): Chunk {
  if (chunk.state === "data end") {
    return line === "" ? { state: "size" } : MALFORMED;
  }
  if (chunk.state === "trailers") {
    if (line === "") return { state: "done" };
    const bytes = chunk.bytes + line.length;
    if (bytes > MAX_TRAILER_BYTES) return { state: "broken", why: "the response has too many trailers" };
    return { state: "trailers", bytes };
  }
  const size = /^([\da-f]{1,13})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
  if (size === undefined) return MALFORMED;
  const left = Number.parseInt(size, 16);
  return left === 0 ? { state: "trailers", bytes: 0 } : { state: "data", left };
}
