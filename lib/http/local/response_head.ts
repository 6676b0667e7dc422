import type { Header } from "../http_client.ts";
import type { Upstream } from "./upstream.ts";

/** Of one response. */
const MAX_HEAD_BYTES = 512 * 1024;
const MAX_HEADERS = 1_000;
/** `100 Continue` and the like before the real one. */
const MAX_INTERIM_HEADS = 100;

export interface ResponseHead {
  readonly version: "1.0" | "1.1";
  readonly status: number;
  readonly headers: readonly Header[];
}

/** Reads the head of the response, and leaves what follows it. Rejects with an Error that says what is wrong. */
export async function readHead(upstream: Upstream): Promise<ResponseHead> {
  for (let interim = 0; interim <= MAX_INTERIM_HEADS; interim++) {
    const head = parseHead(await readHeadText(upstream));
    if (head.status >= 200 || head.status === 101) return head;
  }
  throw new Error("the server sends interim responses without end");
}

/** Bytes as latin1 text, up to and without the empty line. */
async function readHeadText(upstream: Upstream): Promise<string> {
  let text = "";
  for (;;) {
    const bytes = await upstream.take();
    if (bytes === null) {
      throw new Error(text === "" ? "the server hung up without a response" : "the response broke off");
    }
    const before = text.length;
    text += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    // The empty line may have begun in what came before.
    const end = endOfHead(text, Math.max(0, before - 3));
    if (end !== null) {
      upstream.putBack(bytes.subarray(end.after - before));
      return text.slice(0, end.at);
    }
    if (text.length > MAX_HEAD_BYTES) throw new Error(`the response head exceeds ${MAX_HEAD_BYTES} bytes`);
  }
}

/** Lines end with CR LF; with a bare LF too, as some servers write them. */
function endOfHead(text: string, from: number): { at: number; after: number } | null {
  const end = /\n\r?\n/g;
  end.lastIndex = from;
  const found = end.exec(text);
  return found === null ? null : { at: found.index, after: found.index + found[0].length };
}

const STATUS_LINE = /^HTTP\/(1\.[01]) ([1-9]\d\d)(?: |$)/;
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
// deno-lint-ignore no-control-regex -- control characters are what must not pass
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

function parseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split("\n").map((line) =>
    line.endsWith("\r") ? line.slice(0, -1) : line
  );
  const [, version, status] = STATUS_LINE.exec(first) ?? [];
  if (status === undefined) throw new Error("the response is no HTTP/1.1");
  if (lines.length > MAX_HEADERS) throw new Error(`the response has more than ${MAX_HEADERS} headers`);
  const headers = lines.map((line) => {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined || CONTROL.test(value)) {
      throw new Error("the response has a malformed header");
    }
    return { name: name.toLowerCase(), value };
  });
  return { version: version === "1.1" ? "1.1" : "1.0", status: Number(status), headers };
}
