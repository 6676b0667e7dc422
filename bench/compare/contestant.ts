import { createServer } from "node:net";
import { cpuSeconds, forgetPeak, peakMiB } from "./process_tree.ts";
import { Wire } from "./wire.ts";

/** Where a server comes from: a command with `{port}` in it, or a URL at which one is running. */
export type Source = { command: string[] } | { url: string };

const READY_MS = 10_000;

/** One running server and the one connection to it. A command's server is new for each case. */
export class Contestant implements AsyncDisposable {
  readonly wire: Wire;
  /** null where the server is not ours to look into. */
  #child: Bun.Subprocess | null;

  readonly #killNow = () => this.#child?.kill("SIGKILL");

  private constructor(wire: Wire, child: Bun.Subprocess | null) {
    this.wire = wire;
    this.#child = child;
    process.once("exit", this.#killNow);
  }

  static async enter(source: Source): Promise<Contestant> {
    if ("url" in source) return new Contestant(await Wire.open(source.url), null);
    const port = await freePort();
    const argv = source.command.map((word) => word.replaceAll("{port}", String(port)));
    const child = Bun.spawn(argv, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    try {
      return new Contestant(await firstWire(`ws://127.0.0.1:${port}`, child, argv), child);
    } catch (error) {
      await end(child);
      throw error;
    }
  }

  /** Processor seconds so far; null for a server that runs elsewhere. */
  cpu(): number | null {
    return this.#child && cpuSeconds(this.#child.pid);
  }

  peakMiB(): number | null {
    return this.#child && peakMiB(this.#child.pid);
  }

  forgetPeak(): void {
    if (this.#child) forgetPeak(this.#child.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#killNow);
    await this.wire[Symbol.asyncDispose]();
    if (this.#child) await end(this.#child);
  }
}

/** Asked until it answers: not every peer says when it listens. */
async function firstWire(url: string, child: Bun.Subprocess, argv: string[]): Promise<Wire> {
  const deadline = performance.now() + READY_MS;
  while (true) {
    try {
      return await Wire.open(url);
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`${argv.join(" ")} ended with ${child.exitCode}`);
      if (performance.now() > deadline) throw error;
      await Bun.sleep(10);
    }
  }
}

async function end(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await child.exited;
  clearTimeout(force);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
