import type { Command } from "./command.ts";
import { cpEntry, fsEntry } from "./files/file_table.ts";
import { attachEntry, killEntry, logsEntry, psEntry, waitEntry } from "./kept/kept_table.ts";
import { doctorEntry, infoEntry } from "./place/place_table.ts";
import { runEntry } from "./run/run_table.ts";

/** Every command there is. Their code is loaded when they are used: a quick one does not pay for the server. */
export const commands: readonly Command[] = [
  {
    name: "serve",
    usage: "serve [--listen URL] [flags]",
    summary: "Let clients run commands on this machine",
    details: "Prints the URL to connect to on stdout, and nothing else.\n" +
      "SIGTERM and SIGINT end it and every process it started.",
    flags: [
      { name: "listen", value: "URL", summary: "ws://IP:PORT or stdio (default ws://127.0.0.1:0)" },
      { name: "ws-auth", value: "MODE", summary: "capability-token or signed-bearer-token" },
      { name: "ws-token-file", value: "FILE", summary: "capability token, see `exec-server token new`" },
      { name: "ws-token-sha256", value: "HEX", summary: "SHA-256 of the capability token" },
      { name: "ws-shared-secret-file", value: "FILE", summary: "secret that signs bearer tokens (HS256)" },
      { name: "ws-issuer", value: "ISS", summary: "issuer that a bearer token must name" },
      { name: "ws-audience", value: "AUD", summary: "audience that a bearer token must name" },
      { name: "ws-max-clock-skew-seconds", value: "N", summary: "tolerance for token times (default 30)" },
      { name: "insecure-no-auth", summary: "allow a non-loopback address without authentication" },
      { name: "allow-host", value: "NAME", repeats: true, summary: "accept this name in the Host header" },
      {
        name: "concurrent-requests",
        value: "N",
        summary: "requests of one connection at a time (default 128)",
      },
      { name: "detach-ttl", value: "TIME", summary: "how long a session waits for its client (default 80s)" },
      {
        name: "spool-dir",
        value: "DIR",
        summary: "keep output on disk there (default ~/.local/state/exec-server/spool)",
      },
      { name: "spool-max", value: "SIZE", summary: "of one process (default 1GiB); 0 keeps 1 MiB in memory" },
    ],
    run: async (flags, words) => (await import("./serve_command.ts")).serveCommand(flags, words),
  },
  runEntry,
  psEntry,
  logsEntry,
  attachEntry,
  waitEntry,
  killEntry,
  cpEntry,
  fsEntry,
  infoEntry,
  doctorEntry,
  {
    name: "token",
    usage: "token new [FILE]",
    summary: "Make a token file for authentication",
    details: "Writes a fresh secret to FILE (mode 0600; default: token) and tells how to use it.\n" +
      "The secret itself is never shown.",
    flags: [],
    run: async (_, words) => (await import("./token_command.ts")).tokenCommand(words),
  },
  {
    name: "version",
    usage: "version",
    summary: "Print the version",
    flags: [],
    run: async (_, words) => (await import("./version_command.ts")).versionCommand(words),
  },
  {
    name: "help",
    usage: "help [COMMAND]",
    summary: "Tell what a command does and takes",
    flags: [],
    run: async (_, words) => (await import("./help_text.ts")).helpCommand(commands, words),
  },
];

export function findCommand(name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}
