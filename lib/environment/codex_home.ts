import { homedir } from "node:os";
import { join } from "@std/path";

export type Variables = Readonly<Record<string, string | undefined>>;

/** Where Codex keeps its files. */
export function codexHome(env: Variables): string {
  return env["CODEX_HOME"] || join(env["HOME"] || homedir(), ".codex");
}

export function environmentsTomlPath(home: string): string {
  return join(home, "environments.toml");
}
