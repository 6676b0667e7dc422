import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "@std/path";

export type Variables = Readonly<Record<string, string | undefined>>;

/** Where the user's configuration is, whether it is there or not. A relative XDG_CONFIG_HOME counts as none. */
export function configPath(env: Variables): string {
  const named = env["XDG_CONFIG_HOME"] ?? "";
  const base = isAbsolute(named) ? named : join(homeOf(env), ".config");
  return join(base, "exec-server", "config.toml");
}

/** A path as people write it in a configuration: `~/` is their home, and relative is beside the file. */
export function pathBeside(directory: string, written: string, env: Variables): string {
  if (written === "~" || written.startsWith("~/")) return join(homeOf(env), written.slice(1));
  return resolve(directory, written);
}

function homeOf(env: Variables): string {
  return env["HOME"] || homedir();
}
