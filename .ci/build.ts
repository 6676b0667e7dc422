// Makes main.ts one file that needs nothing beside it.
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Target } from "./targets.ts";

export const PROJECT = resolve(import.meta.dir, "..");
export const DIST = join(PROJECT, "dist");

const FLAGS = [
  "--compile",
  "--minify",
  // Halves the time to start. Its default format, cjs, knows no top-level await.
  "--bytecode",
  "--format=esm",
  // What a command does not use is not even read: a third off the start of the small ones.
  "--splitting",
  // By default a compiled program reads `.env` and runs the preload of `bunfig.toml` in whatever directory it is
  // started: a stranger's checkout would run code in ours.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
];

/** A Bun of another machine, to be the body of a binary for it. */
export type Body = { target: Target; executable: string };

/** Resolves once `outfile` is there, whole: who starts it meanwhile gets the old one or the new one. */
export async function build(outfile: string, body?: Body): Promise<void> {
  // Beside its last place, so that the rename stays within one file system, and under its own name, which a binary
  // remembers.
  const workshop = join(dirname(outfile), `.build-${process.pid}`);
  const unfinished = join(workshop, basename(outfile));
  await mkdir(workshop, { recursive: true });
  try {
    await compile(unfinished, body);
    await rename(unfinished, outfile);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function compile(outfile: string, body: Body | undefined): Promise<void> {
  const foreign = body === undefined
    ? []
    : [`--target=${body.target.bunName}`, `--compile-executable-path=${body.executable}`];
  await using bun = Bun.spawn(
    [process.execPath, "build", ...FLAGS, ...foreign, `--outfile=${outfile}`, join(PROJECT, "main.ts")],
    // Tests build too, and their NODE_ENV must not get into the binary.
    {
      cwd: PROJECT,
      env: { ...process.env, NODE_ENV: "production" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const said = Promise.all([bun.stdout.text(), bun.stderr.text()]);
  if (await bun.exited !== 0) throw new Error(`Cannot build ${outfile}: ${(await said).join("")}`);
}

if (import.meta.main) {
  const outfile = join(DIST, "exec-server");
  await build(outfile);
  console.log(`${outfile} (${megabytes(Bun.file(outfile).size)})`);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
