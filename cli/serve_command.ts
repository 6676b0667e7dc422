import type { Authenticator } from "../lib/server/authenticator.ts";
import { AuthError } from "../lib/server/auth_error.ts";
import { type AuthSettings, readAuthSettings, refuseAuthOverStdio } from "../lib/server/auth_settings.ts";
import { isLoopback, type ListenUrl, ListenUrlError, parseListenUrl } from "../lib/server/listen_url.ts";
import { ListenError, serve } from "../lib/server/serve.ts";
import { systemClock } from "../lib/base/clock.ts";
import { osErrorWords } from "../lib/base/os_error.ts";
import { parseDuration } from "./duration.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "./exit_status.ts";
import type { Flags } from "./command.ts";
import { spoolsByFlags } from "./spool_flags.ts";

/** `serve`: runs until a signal, or until the peer on stdio leaves. */
export async function serveCommand(flags: Flags, [word]: readonly string[]): Promise<ExitStatus> {
  if (word !== undefined) throw usageError(`unexpected word ${word}`, "serve");
  try {
    return await serveAs(flags);
  } catch (error) {
    if (error instanceof AuthError && error.code === "usage") throw usageError(error.message, "serve");
    const known = error instanceof AuthError || error instanceof ListenUrlError ||
      error instanceof ListenError;
    if (!known) throw error;
    // Codex's own words, because unit files and scripts look for them.
    process.stderr.write(`Error: ${error.message}\n`);
    return EXIT.failed;
  }
}

async function serveAs(flags: Flags): Promise<ExitStatus> {
  const host = {
    clock: systemClock,
    detachTtlMs: duration(flags, "detach-ttl"),
    concurrentRequests: count(flags, "concurrent-requests"),
  };
  const settings = readAuthSettings({
    mode: flags.text("ws-auth"),
    tokenFile: flags.text("ws-token-file"),
    tokenSha256: flags.text("ws-token-sha256"),
    sharedSecretFile: flags.text("ws-shared-secret-file"),
    issuer: flags.text("ws-issuer"),
    audience: flags.text("ws-audience"),
    maxClockSkewSeconds: flags.text("ws-max-clock-skew-seconds"),
  });
  const listen = flags.text("listen") ?? "ws://127.0.0.1:0";
  const address = parseListenUrl(listen);
  const openSpools = await spoolsByFlags(flags);
  if (address.kind === "stdio") {
    refuseAuthOverStdio(settings);
    const { serveStdio } = await import("../lib/server/serve_stdio.ts");
    const server = serveStdio({ ...host, spools: await openSpools() });
    await Promise.race([server.ended, endSignal()]);
    server.close();
    // A read of stdin that is under way would keep the program from ending.
    process.exit(EXIT.ok);
  }
  refuseOpenDoor(address, settings, flags);
  const auth = settings === null ? null : await authenticator(settings);
  const server = await serve({ ...host, openSpools, listen, auth, allowHosts: flags.texts("allow-host") });
  const ended = endSignal(); // listened for before anybody can know that we are here
  const status = await told(server.url) ? await ended.then(() => EXIT.ok) : EXIT.failed;
  await server.close();
  return process.exit(status);
}

/** Whoever reaches the port runs commands as this user. */
function refuseOpenDoor(
  address: Extract<ListenUrl, { kind: "ws" }>,
  settings: AuthSettings | null,
  flags: Flags,
): void {
  if (settings !== null || flags.has("insecure-no-auth") || isLoopback(address.hostname)) return;
  throw new CommandError(
    `refusing to listen on ${address.hostname} without authentication: anybody who reaches it could run commands`,
    "add --ws-auth capability-token --ws-token-file FILE (make one with `exec-server token new FILE`), or --insecure-no-auth",
    EXIT.failed,
  );
}

/** Prints the one line that tells where we are. Where nobody can read it, nobody could ever find us. */
async function told(url: string): Promise<boolean> {
  try {
    await Bun.write(Bun.stdout, `${url}\n`);
    return true;
  } catch (error) {
    process.stderr.write(`Error: Cannot print the URL: ${osErrorWords(error)}\n`);
    return false;
  }
}

/** Resolves at the first request to end. */
function endSignal(): Promise<void> {
  return new Promise((resolve) => {
    // Not once: a second signal must not end us before the processes are ended.
    process.on("SIGTERM", () => resolve());
    process.on("SIGINT", () => resolve());
  });
}

function duration(flags: Flags, name: string): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === null) {
    throw usageError(`option --${name} takes a time such as 80s or 5m, not "${text}"`, "serve");
  }
  return ms;
}

function count(flags: Flags, name: string): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw usageError(`option --${name} takes a number of at least 1, not "${text}"`, "serve");
  }
  return Number(text);
}

/** Loaded where it is asked for: cryptography takes time to load. */
async function authenticator(settings: AuthSettings): Promise<Authenticator> {
  const { openAuthenticator } = await import("../lib/server/auth.ts");
  return await openAuthenticator(settings);
}
