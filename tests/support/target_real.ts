import type { Target } from "./target.ts";
import { spawnServer } from "./target_process.ts";

const LISTEN = ["--listen", "ws://127.0.0.1:0"];

/** The real server from a native codex binary. */
export function realTarget(binary: string): Target {
  const command = (flags: string[]) => [binary, "exec-server", ...flags];
  return {
    name: "real",
    command,
    serve: (options = {}) => spawnServer(command([...LISTEN, ...(options.flags ?? [])]), options.env),
  };
}
