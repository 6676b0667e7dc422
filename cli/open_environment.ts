import { readFile } from "node:fs/promises";
import { osErrorCode, osErrorText } from "../lib/base/os_error.ts";
import type { Environment } from "../lib/environment/environment.ts";
import type { Secret } from "../lib/environment/secret.ts";
import { CommandError, EXIT } from "./exit_status.ts";
import type { Place } from "./run_plan.ts";

/** An environment that can be used now, and what it is called when we speak of it. */
export interface OpenEnvironment {
  readonly environment: Environment;
  /** null where it is this machine: nobody needs to be told. */
  readonly name: string | null;
}

/** Resolves once commands can be started there. Throws what the user can mend. */
export async function openEnvironment(place: Place): Promise<OpenEnvironment> {
  if (place.kind === "here") {
    const { LocalEnvironment } = await import("../lib/environment/local_environment.ts");
    return { environment: new LocalEnvironment(), name: null };
  }
  const { connectTo, remoteEnvironment } = await import("../lib/environment/connect_remote.ts");
  const spec = {
    kind: "url",
    url: place.url,
    ...(place.tokenFile === null ? {} : { token: await readToken(place.tokenFile) }),
    ...(place.tlsCaFile === null ? {} : { tlsCa: place.tlsCaFile }),
  } as const;
  const connect = connectTo(
    spec,
    place.reconnectMs === null ? {} : { reconnectTimeoutMs: place.reconnectMs },
  );
  const environment = remoteEnvironment("remote", spec, connect);
  try {
    await environment.waitUntilReady();
  } catch (error) {
    await environment[Symbol.asyncDispose]();
    const { EnvironmentError } = await import("../lib/environment/environment_error.ts");
    if (!(error instanceof EnvironmentError)) throw error;
    throw unreachable(place.url, error.detail);
  }
  return { environment, name: hostOf(place.url) };
}

async function readToken(file: string): Promise<Secret> {
  const { Secret } = await import("../lib/environment/secret.ts");
  try {
    return new Secret((await readFile(file, "utf8")).trim());
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    throw new CommandError(
      `cannot read the token in ${file}: ${osErrorText(code)}`,
      "name the server's token file with --token-file or EXEC_SERVER_TOKEN_FILE",
      EXIT.notStarted,
    );
  }
}

/** `ws://devbox:7777` → `devbox:7777`. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host || url : url;
}

function unreachable(url: string, message: string): CommandError {
  return new CommandError(`cannot reach ${hostOf(url)}: ${message}`, hintFor(message), EXIT.unknown);
}

function hintFor(message: string): string {
  if (/\b401\b/.test(message)) {
    return "give the server's token with --token-file FILE or EXEC_SERVER_TOKEN_FILE";
  }
  if (/\b403\b/.test(message)) return "the server must be told to accept that name: serve --allow-host NAME";
  if (/tls|certificate/i.test(message)) return "name the server's certificate authority with --tls-ca FILE";
  return "see that `exec-server serve` runs there and prints the same URL, or name another with -s URL";
}
