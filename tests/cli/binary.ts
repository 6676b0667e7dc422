import { readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, PROJECT } from "../../.ci/build.ts";

const CACHE = join(PROJECT, "node_modules/.cache/exec-server/tests");

/** Long enough that no test run under way still starts it. */
const OUTDATED_MS = 60 * 60_000;

/**
 * Answers the path of a binary made of the sources as they are now: the one EXEC_SERVER_BIN names, or one built when it
 * is first asked for. Its name tells its sources, so test processes share it, and a build appears whole or not at all.
 */
export async function binary(): Promise<string> {
  const named = process.env.EXEC_SERVER_BIN;
  if (named) return await present(resolve(PROJECT, named));
  const outfile = join(CACHE, `exec-server-${await fingerprint()}`);
  if (!await Bun.file(outfile).exists()) {
    await removeOutdated();
    await build(outfile);
  }
  return outfile;
}

async function present(path: string): Promise<string> {
  if (await Bun.file(path).exists()) return path;
  throw new Error(`Cannot try ${path}, which EXEC_SERVER_BIN names: there is no such file`);
}

/** The hash of all that a build reads. */
async function fingerprint(): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256").update(Bun.version);
  const paths = ["main.ts", "deno.json", "deno.lock", "tsconfig.json", ".ci/build.ts"];
  for await (const path of new Bun.Glob("{cli,lib}/**/*.ts").scan({ cwd: PROJECT })) paths.push(path);
  for (const path of paths.sort()) {
    hash.update(`\n${path}\n`).update(await Bun.file(join(PROJECT, path)).bytes());
  }
  return hash.digest("hex").slice(0, 16);
}

async function removeOutdated(): Promise<void> {
  const names = await readdir(CACHE).catch(() => []);
  for (const path of names.map((name) => join(CACHE, name))) {
    // Another test process may remove it first.
    const age = Date.now() - await stat(path).then(({ mtimeMs }) => mtimeMs, () => Date.now());
    if (age > OUTDATED_MS) await rm(path, { force: true });
  }
}
