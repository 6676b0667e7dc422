import { Peer } from "./peer.ts";
import { within } from "./peer_deadline.ts";

/** A server spoken to over its own stdin and stdout. */
export type StdioServer = AsyncDisposable & {
  peer: Peer;
  pid: number;
  /** Lines of stdout, unparsed. */
  lines: string[];
  sendBytes(bytes: string | Uint8Array): void;
  endInput(): void;
  /** The exit code of the server. */
  exited: Promise<number>;
};

export function spawnStdio(argv: string[]): StdioServer {
  const child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
  const lines: string[] = [];
  const sendBytes = (bytes: string | Uint8Array) => {
    // A server that ended meanwhile takes no more; the test learns that from `exited`.
    try {
      child.stdin.write(bytes);
      Promise.resolve(child.stdin.flush()).catch(() => {});
    } catch (error) {
      if ((error as { code?: string }).code !== "EPIPE") throw error;
    }
  };
  const endInput = () => void Promise.resolve(child.stdin.end()).catch(() => {});
  const peer = new Peer((text) => sendBytes(`${text}\n`), () => child.kill("SIGKILL"));
  const received = (async () => {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const pieces = (rest + text).split("\n");
      rest = pieces.pop() ?? "";
      for (const line of pieces) {
        lines.push(line);
        peer.receive(line);
      }
    }
    peer.end(rest === "" ? "stdout ended" : `stdout ended within a line: ${rest}`);
  })();
  return {
    peer,
    pid: child.pid,
    lines,
    sendBytes,
    endInput,
    exited: within(
      Promise.all([child.exited, received]).then(([code]) => code),
      "the end of the stdio server",
      30_000,
    ),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
