import { within } from "./peer_deadline.ts";
import { rawHttp } from "./raw_http.ts";
import type { RunningServer } from "./target.ts";

/** A server that runs as a program of its own. */
export interface ServerProcess extends RunningServer {
  pid: number;
  stdout(): string;
  stderr(): string;
  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): void;
  exited: Promise<number>;
}

export type Ended = { code: number; stdout: string; stderr: string };

/** Runs a program that must end by itself, with nothing on its stdin. */
export async function runToEnd(argv: string[], cwd?: string): Promise<Ended> {
  await using child = Bun.spawn(argv, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await within(
    Promise.all([child.stdout.text(), child.stderr.text(), child.exited]),
    `the end of ${argv.join(" ")}`,
  );
  return { code, stdout, stderr };
}

/** Starts a server program that listens on a WebSocket, and waits for the line that tells its URL. */
export async function spawnServer(argv: string[], env?: Record<string, string>): Promise<ServerProcess> {
  const child = Bun.spawn(argv, { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = ["", ""].map((text) => ({ text }));
  const announced = Promise.withResolvers<string>();
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>, into: { text: string }) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      into.text += text;
      if (stdout.text.includes("\n")) announced.resolve(stdout.text.slice(0, stdout.text.indexOf("\n")));
    }
  };
  const ended = Promise.all([collect(child.stdout, stdout), collect(child.stderr, stderr), child.exited])
    .then(([, , code]) => code);
  ended.then((code) => announced.reject(new Error(`The server ended with ${code}: ${stderr.text}`)));
  const dispose = async () => {
    // SIGTERM first: it takes the server's children with it.
    child.kill("SIGTERM");
    const escalation = setTimeout(() => child.kill("SIGKILL"), 2_000);
    await child.exited;
    clearTimeout(escalation);
  };
  try {
    const url = await within(announced.promise, `the URL of ${argv.join(" ")}`);
    return {
      url,
      pid: child.pid,
      stdout: () => stdout.text,
      stderr: () => stderr.text,
      kill: (signal) => child.kill(signal),
      exited: ended,
      advance: (ms) => Bun.sleep(ms),
      settle: () => settleBy(url),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What a server was told on its sockets before, it has seen when it answers a request made after. Twice, to be sure. */
export async function settleBy(url: string): Promise<void> {
  for (let round = 0; round < 2; round++) await rawHttp(url, { path: "/readyz" });
}
