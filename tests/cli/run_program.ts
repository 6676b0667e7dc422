import { join } from "@std/path";

/** The root of the project, where `main.ts` is. */
export const ROOT = join(import.meta.dir, "../..");

/** The words that start `run` from the sources. */
export const RUN = [process.execPath, "--no-env-file", join(ROOT, "main.ts"), "run"];

/** None of the variables that name a server, so that a test runs where it says. */
const ENV: Record<string, string | undefined> = {
  ...process.env,
  EXEC_SERVER_URL: undefined,
  CODEX_EXEC_SERVER_URL: undefined,
  EXEC_SERVER_TOKEN_FILE: undefined,
};

export interface RunOptions {
  readonly stdin?: string | Uint8Array | Bun.BunFile;
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `run` to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  await using child = start(args, options);
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { status, stdout, stderr };
}

/** Starts `run` on pipes; without a stdin it is given an empty one. */
export function start(args: readonly string[], { stdin, env, cwd }: RunOptions = {}) {
  return Bun.spawn([...RUN, ...args], {
    cwd: cwd ?? ROOT,
    env: { ...ENV, ...env },
    stdin: typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs a line of shell in which `$RUN` is `run`. */
export async function shell(line: string, env: Record<string, string> = {}): Promise<Ran> {
  // Each word quoted: the path of the project may have a space in it.
  const program = RUN.map((word) => `'${word}'`).join(" ");
  await using child = Bun.spawn(["bash", "-c", line.replaceAll("$RUN", program)], {
    cwd: ROOT,
    env: { ...ENV, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { status, stdout, stderr };
}

/** What has come so far, and a wait for words in it. */
export class Heard {
  text = "";
  #wake: () => void = () => {};
  #ended = false;

  constructor(stream?: ReadableStream<Uint8Array>) {
    if (stream !== undefined) void this.#readAll(stream);
  }

  add(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
    this.#wake();
  }

  /** Resolves once it has come. Rejects when no more will. */
  async until(words: string | RegExp): Promise<void> {
    const isThere = () => typeof words === "string" ? this.text.includes(words) : words.test(this.text);
    while (!isThere()) {
      if (this.#ended) throw new Error(`It ended without ${words}: ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #readAll(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const bytes of stream) this.add(bytes);
    this.#ended = true;
    this.#wake();
  }
}

/** Resolves once a process has ended; a test that waits in vain ends by its own time limit. */
export async function ended(pid: number): Promise<void> {
  while (await isRunning(pid)) await Bun.sleep(10);
}

/** What only waits for its parent to hear of its end is no more. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await Bun.file(`/proc/${pid}/stat`).text().catch(() => null);
  return stat !== null && !/\) [ZX] /.test(stat);
}
