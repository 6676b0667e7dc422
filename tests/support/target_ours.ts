import { join } from "@std/path";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { ManualClock } from "./manual_clock.ts";
import type { RunningServer, Target } from "./target.ts";
import { settleBy, spawnServer } from "./target_process.ts";

const LISTEN = "ws://127.0.0.1:0";
const MAIN = join(import.meta.dir, "../../main.ts");

/** Our server: in the process of the tests where nothing speaks against it, else as the program users start. */
export function oursTarget(): Target {
  const command = (flags: string[]) => [process.execPath, "--no-env-file", MAIN, "serve", ...flags];
  return {
    name: "ours",
    command,
    serve: ({ flags, env, movableTime } = {}) => {
      if (movableTime) return serveHere(new ManualClock());
      if (flags === undefined && env === undefined) return serveHere(systemClock);
      return spawnServer(command(["--listen", LISTEN, ...(flags ?? [])]), env);
    },
  };
}

async function serveHere(clock: Clock): Promise<RunningServer> {
  // Loaded late: what is broken in ours must not keep the suite from running against the real server.
  const { serve } = await import("../../lib/server/serve.ts");
  const server = await serve({ listen: LISTEN, clock });
  const settle = () => settleBy(server.url);
  return {
    url: server.url,
    settle,
    advance: async (ms) => {
      await settle();
      if (clock instanceof ManualClock) await clock.advance(ms);
      else await Bun.sleep(ms);
      await settle();
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}
