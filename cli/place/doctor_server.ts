import type { EnvironmentInfo } from "../../lib/environment/environment.ts";
import { version } from "../../lib/version.ts";
import type { Finding } from "./finding.ts";

/** Whether the server and this program understand each other in all. */
export function* checkServer(info: EnvironmentInfo): Generator<Finding> {
  if (info.extensions === null) return;
  if (info.extensions.length === 0) {
    yield {
      name: "server",
      verdict: "warn",
      detail:
        `a plain Codex server${
          info.version === null ? "" : ` (${info.version})`
        }: no resizing, no end of input ` +
        "and only INT as a signal",
      hint: "run `exec-server serve` there",
    };
  } else if (info.version !== version) {
    yield {
      name: "versions",
      verdict: "warn",
      detail: `${version} here, ${info.version ?? "unknown"} there`,
      hint: "install the same version on both sides",
    };
  } else {
    yield { name: "versions", verdict: "ok", detail: `${version} on both sides`, hint: null };
  }
}
