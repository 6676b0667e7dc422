import { mkdir, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "@std/path";

/** The peers to work with: the newest release, which is the reference, and the oldest client still in use. */
export const CODEX_VERSIONS = ["0.169.0", "0.145.0"] as const;

export type CodexVersion = (typeof CODEX_VERSIONS)[number];

export type RealCodex =
  | { readonly found: true; readonly version: CodexVersion; readonly binary: string }
  | { readonly found: false; readonly version: CodexVersion; readonly reason: string };

const BINARY_VARIABLE = { "0.169.0": "CODEX_EXEC_SERVER_BIN", "0.145.0": "CODEX_0145_BIN" } as const;

/**
 * Looks for the native binary: the one a variable names, then the cache. Fetches only when
 * EXEC_SERVER_INTEROP=fetch asks for it, because a test run must not depend on a network.
 */
export async function findCodex(version: CodexVersion): Promise<RealCodex> {
  const variable = BINARY_VARIABLE[version];
  const named = process.env[variable];
  if (named !== undefined && named !== "") {
    return await Bun.file(named).exists()
      ? { found: true, version, binary: named }
      : { found: false, version, reason: `${variable} names a file that does not exist: ${named}` };
  }
  if (version === "0.145.0" && process.env.EXEC_SERVER_LONG !== "1") {
    return { found: false, version, reason: `codex ${version} is tried with EXEC_SERVER_LONG=1` };
  }
  const cached = await binaryIn(cacheOf(version)) ??
    (process.env.EXEC_SERVER_INTEROP === "fetch" ? await fetchCodex(version) : null);
  if (cached !== null) return { found: true, version, binary: cached };
  const reason =
    `codex ${version} is not here: set ${variable}, or fetch it with tests/interop/fetch_codex.ts`;
  return { found: false, version, reason };
}

/** Installs one release into the cache with npm and returns its binary. */
export async function fetchCodex(version: CodexVersion): Promise<string> {
  const cache = cacheOf(version);
  // Made beside its place and then renamed: another test run never sees half an installation.
  const partial = `${cache}.${process.pid}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    const npm = Bun.spawn(
      ["npm", "install", "--prefix", partial, "--no-audit", "--no-fund", `@openai/codex@${version}`],
      { stdin: "ignore", stdout: "ignore", stderr: "inherit" },
    );
    if (await npm.exited !== 0) {
      throw new Error(`Cannot fetch codex ${version}: npm ended with ${npm.exitCode}`);
    }
    await rm(cache, { recursive: true, force: true });
    await rename(partial, cache);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  const binary = await binaryIn(cache);
  if (binary === null) {
    throw new Error(`Cannot find a binary in codex ${version}: the package has another shape`);
  }
  return binary;
}

function cacheOf(version: CodexVersion): string {
  const here = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url).href);
  const base = process.env.XDG_CACHE_HOME || here;
  return join(base, "exec-server-interop", version);
}

/** The package brings one binary, that of this machine, under a name that tells the machine. */
async function binaryIn(directory: string): Promise<string | null> {
  const pattern = new Bun.Glob("node_modules/@openai/codex-*/vendor/*/bin/codex");
  try {
    for await (const path of pattern.scan({ cwd: directory, absolute: true })) return path;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  return null;
}
