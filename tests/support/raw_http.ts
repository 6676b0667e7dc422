import { connect } from "node:net";
import { within } from "./peer_deadline.ts";

export type RawAnswer = { status: number; headers: Map<string, string>; body: string };

/** The headers of a proper upgrade; a test changes or drops what it is about. */
export const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

export type RawRequest = {
  method?: string;
  path?: string;
  headers?: Record<string, string | undefined>;
  version?: string;
};

/** The text of one request; an `undefined` header is left out, so that tests can take one away. */
export function requestText(url: string, request: RawRequest): string {
  const headers: Record<string, string | undefined> = { Host: new URL(url).host, ...request.headers };
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${request.method ?? "GET"} ${request.path ?? "/"} HTTP/${request.version ?? "1.1"}\r\n${
    lines.join("")
  }\r\n`;
}

/** The head of an answer when all of it has come, and the bytes that followed it. */
export function parseHead(bytes: Buffer): { answer: RawAnswer; rest: Buffer } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine, ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  return {
    answer: { status: Number(statusLine.split(" ")[1]), headers, body: "" },
    rest: bytes.subarray(end + 4),
  };
}

/** Sends one request as it is written and reads the one answer. An upgrade that succeeds is hung up on. */
export async function rawHttp(url: string, request: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) });
  const answered = Promise.withResolvers<RawAnswer>();
  let bytes: Buffer = Buffer.alloc(0);
  socket.on("data", (data: Buffer) => {
    bytes = Buffer.concat([bytes, data]);
    const head = parseHead(bytes);
    if (head === undefined) return;
    const bodyless = request.method === "HEAD" || head.answer.status === 101;
    const length = bodyless ? 0 : Number(head.answer.headers.get("content-length") ?? 0);
    if (head.rest.length < length) return;
    answered.resolve({ ...head.answer, body: head.rest.toString("utf8") });
  });
  socket.on("error", (error) => answered.reject(error));
  socket.on(
    "close",
    () => answered.reject(new Error(`Connection ended after ${JSON.stringify(bytes.toString())}`)),
  );
  socket.write(requestText(url, request), "latin1");
  try {
    return await within(answered.promise, `the answer to ${request.method ?? "GET"} ${request.path ?? "/"}`);
  } finally {
    socket.destroy();
  }
}
