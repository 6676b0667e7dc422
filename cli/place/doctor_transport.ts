import { stat } from "node:fs/promises";
import { isLoopbackHost } from "../../lib/environment/server_url.ts";
import type { Choice } from "./choose_environment.ts";
import type { Finding } from "./finding.ts";

/** Whether what travels to the server is safe from others, as far as can be seen from here. */
export async function* checkTransport(choice: Choice): AsyncGenerator<Finding> {
  if (choice.kind === "local" || choice.spec.kind === "program") return;
  const { url, token } = choice.spec;
  const opens = /^wss?:/.test(url) ? new URL(url) : null;
  if (opens?.protocol === "ws:" && !isLoopbackHost(opens.hostname)) {
    yield {
      name: "encryption",
      verdict: "warn",
      detail: token === undefined
        ? "everything travels in the clear"
        : "the token and everything else travel in the clear",
      hint: "use wss://, or a tunnel such as ssh -L",
    };
  }
  if (choice.tokenFile === null) return;
  const mode = (await stat(choice.tokenFile)).mode & 0o777;
  if ((mode & 0o077) === 0) {
    yield { name: "token file", verdict: "ok", detail: "only you can read it", hint: null };
  } else {
    yield {
      name: "token file",
      verdict: "warn",
      detail: `others can read ${choice.tokenFile} (mode ${mode.toString(8)})`,
      hint: `chmod 600 ${choice.tokenFile}`,
    };
  }
}
