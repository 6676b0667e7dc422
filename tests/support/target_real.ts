import type { Target } from "./target.ts";
import { spawnServer } from "./target_process.ts";

const LISTEN = ["--listen", "ws://127.0.0.1:0"];

/** The native codex binary named by CODEX_EXEC_SERVER_BIN, if one is. */
export function realTarget(
  binary: string | undefined = process.env.CODEX_EXEC_SERVER_BIN,
): Target | undefined {
  if (binary === undefined || binary === "") return undefined;
  const command = (flags: string[]) => [binary, "exec-server", ...flags];
  return {
    name: "real",
    command,
    serve: (options = {}) => spawnServer(command([...LISTEN, ...(options.flags ?? [])]), options.env),
  };
}
