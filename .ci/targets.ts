// The machines we build for, and the Bun that each of their binaries is made of.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

export type Target = {
  /** The end of our file's name. */
  name: string;
  /** What `bun build --target` calls it. */
  bunName: string;
  /** The package that carries its Bun. */
  package: string;
  /** Where the package keeps it. */
  executable: string;
};

// Bun 1.4.5 has one build for all of x64: its packages `…-x64` and `…-x64-baseline` hold the same bytes, and only the
// first of them stands in deno.lock.
export const TARGETS: readonly Target[] = [
  target("linux-x64", "bun-linux-x64-baseline", "linux-x64"),
  target("linux-x64-musl", "bun-linux-x64-musl-baseline", "linux-x64-musl"),
  target("linux-arm64", "bun-linux-arm64", "linux-aarch64"),
  target("linux-arm64-musl", "bun-linux-arm64-musl", "linux-aarch64-musl"),
  target("darwin-x64", "bun-darwin-x64-baseline", "darwin-x64"),
  target("darwin-arm64", "bun-darwin-arm64", "darwin-aarch64"),
  target("windows-x64.exe", "bun-windows-x64-baseline", "windows-x64"),
];

function target(name: string, bunName: string, platform: string): Target {
  const executable = name.endsWith(".exe") ? "bin/bun.exe" : "bin/bun";
  return { name, bunName, package: `@oven/bun-${platform}`, executable };
}

/**
 * Answers the path of that target's Bun, of the very version that runs this. Comes from the package registry once, is
 * held against the hash in deno.lock, and is kept in node_modules/.cache.
 */
export async function bunFor(target: Target, project: string): Promise<string> {
  const expected = await lockedIntegrity(`${target.package}@${Bun.version}`, project);
  const home = join(project, "node_modules/.cache/exec-server", `${target.package}@${Bun.version}`);
  const executable = join(home, "node_modules", target.package, target.executable);
  if (await installedIntegrity(home) !== expected || !await Bun.file(executable).exists()) {
    await install(target.package, home);
  }
  const actual = await installedIntegrity(home);
  if (actual !== expected) {
    throw new Error(`Cannot trust ${target.package}: its hash is ${actual}, deno.lock says ${expected}`);
  }
  return executable;
}

async function install(name: string, home: string): Promise<void> {
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  await Bun.write(join(home, "package.json"), JSON.stringify({ dependencies: { [name]: Bun.version } }));
  // Bun's own installer: it takes packages for other machines, and refuses bytes that do not match their hash.
  await using bun = Bun.spawn(
    [process.execPath, "install", "--os=*", "--cpu=*", "--ignore-scripts", "--no-progress"],
    { cwd: home, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  const complaints = bun.stderr.text();
  if (await bun.exited !== 0) throw new Error(`Cannot install ${name}: ${await complaints}`);
}

const INTEGRITY = /sha512-[A-Za-z0-9+/]+=*/;

/** The hash that the installed package was checked against, or nothing if none is installed. */
async function installedIntegrity(home: string): Promise<string | undefined> {
  const lock = Bun.file(join(home, "bun.lock"));
  return await lock.exists() ? INTEGRITY.exec(await lock.text())?.[0] : undefined;
}

async function lockedIntegrity(packageAtVersion: string, project: string): Promise<string> {
  const lock: { npm: Record<string, { integrity?: string }> } = await Bun.file(join(project, "deno.lock"))
    .json();
  const integrity = lock.npm[packageAtVersion]?.integrity;
  if (integrity === undefined) throw new Error(`Cannot find ${packageAtVersion} in deno.lock`);
  return integrity;
}
