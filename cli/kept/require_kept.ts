import type { Environment } from "../../lib/environment/environment.ts";
import { shownUrl } from "../../lib/environment/server_url.ts";
import type { KeptProcesses } from "../../lib/process/kept_processes.ts";
import { CommandError, type ExitStatus } from "../exit_status.ts";
import type { Choice } from "../place/choose_environment.ts";

/** The processes that are kept there. Throws where nothing outlives its client. */
export async function requireKept(environment: Environment, status: ExitStatus): Promise<KeptProcesses> {
  const kept = await environment.kept();
  if (kept !== null) return kept;
  if (!environment.isRemote) {
    throw new CommandError(
      "nothing is kept right here: a command ends with the exec-server that runs it",
      "start `exec-server serve` and name it with -s URL",
      status,
    );
  }
  throw new CommandError(
    "this server keeps no processes: it is a plain Codex server, or a program that ends with us",
    "run `exec-server serve --listen ws://…` there",
    status,
  );
}

/** What is to be typed to follow a kept process again. */
export function attachWords(place: Choice, ref: string): string {
  return ["exec-server attach", ...whereWords(place), ref].join(" ");
}

/** Only what was typed has to be typed again. */
function whereWords(place: Choice): string[] {
  if (place.kind === "local") return [];
  if (place.saidBy === "--host") return ["--host", place.id];
  return place.saidBy === "--server" && place.spec.kind === "url" ? ["-s", shownUrl(place.spec.url)] : [];
}
