import type { ConnectOptions } from "../../lib/environment/connect_remote.ts";
import type { Environment } from "../../lib/environment/environment.ts";
import { shownUrl } from "../../lib/environment/server_url.ts";
import type { Choice } from "./choose_environment.ts";

/** The environment that was chosen; nothing is connected yet. */
export async function openChoice(choice: Choice, options: ConnectOptions = {}): Promise<Environment> {
  if (choice.kind === "local") {
    const { LocalEnvironment } = await import("../../lib/environment/local_environment.ts");
    return new LocalEnvironment();
  }
  const { connectTo, remoteEnvironment } = await import("../../lib/environment/connect_remote.ts");
  return remoteEnvironment(choice.id, choice.spec, connectTo(choice.spec, options));
}

/** How it is reached, for a hint when it is not. */
export function kindOf(choice: Choice): "url" | "program" {
  return choice.kind === "remote" && choice.spec.kind === "program" ? "program" : "url";
}

/** What may be shown of where it is. */
export function addressOf(choice: Choice): string {
  if (choice.kind === "local") return "this machine";
  const { spec } = choice;
  return spec.kind === "url" ? shownUrl(spec.url) : [spec.program, ...spec.args].join(" ");
}
