import { createServer, type Socket } from "node:net";
import { untilTrue } from "./peer_deadline.ts";

/** One request as it came over the wire. */
export interface Seen {
  /** `GET /x HTTP/1.1` */
  readonly line: string;
  /** As they were written: `name: value`. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** What is answered: all of it, or written piece by piece; then the connection stays open. */
export type Answerer = (request: Seen, socket: Socket) => string | void;

export interface WebServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  /** The same server by another name, which is another host to a client. */
  readonly otherUrl: string;
  readonly seen: readonly Seen[];
  readonly connections: ReadonlySet<Socket>;
  /** Resolves when the other side has ended all of its connections. */
  allClosed(): Promise<void>;
}

export const OK = respond("ok");

/** A whole response. */
export function respond(body: string, head: string[] = [], status = "200 OK"): string {
  return [`HTTP/1.1 ${status}`, ...head, `content-length: ${Buffer.byteLength(body, "latin1")}`, "", body]
    .join("\r\n");
}

/** A web server that answers what the test wants, to the byte, and remembers what it was asked, to the byte. */
export async function webServer(answer: Answerer): Promise<WebServer> {
  const seen: Seen[] = [];
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      for (let request; (request = cutRequest(text)) !== null;) {
        text = request.rest;
        seen.push(request.seen);
        const reply = answer(request.seen, socket);
        if (typeof reply === "string") socket.write(Buffer.from(reply, "latin1"));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    otherUrl: `http://localhost:${address.port}`,
    seen,
    connections,
    allClosed: () => untilTrue(() => connections.size === 0, "the end of every connection to the web server"),
    [Symbol.asyncDispose]: async () => {
      for (const socket of connections) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Header bytes are kept as latin1, one character each. */
function cutRequest(text: string): { seen: Seen; rest: string } | null {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [line = "", ...headers] = text.slice(0, end).split("\r\n");
  const valueOf = (name: string) =>
    headers.find((header) => header.startsWith(`${name}: `))?.slice(name.length + 2);
  const start = end + 4;
  const lastChunk = text.indexOf("0\r\n\r\n", start);
  const isChunked = valueOf("transfer-encoding") === "chunked";
  if (isChunked && lastChunk < 0) return null;
  const length = isChunked ? lastChunk + 5 - start : Number(valueOf("content-length") ?? 0);
  if (text.length < start + length) return null;
  return {
    seen: { line, headers, body: text.slice(start, start + length) },
    rest: text.slice(start + length),
  };
}
