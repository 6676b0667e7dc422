import { placeFlags } from "../place/place_flags.ts";
import type { Command } from "../command.ts";

/** `run` in the command table. */
export const runEntry: Command = {
  name: "run",
  usage: "run [flags] [--] CMD [ARG…]",
  summary: "Run a command on a server, or here if none is named",
  details:
    "Input, output, signals and the exit status are those of the command, as with ssh. Without CMD it is\n" +
    "the login shell. Flags end at the first word that is not one.\n\n" +
    "Exit status: the command's own; 128+N if signal N ended it; 124 time limit; 125 not started; 126 not\n" +
    "executable; 127 not found; 130 ended by Ctrl-C; 255 connection or result unknown.\n\n" +
    "With -d, --name or --keep the command outlives us on its server; see `exec-server help attach`.",
  stopsAtWord: true,
  flags: [
    ...placeFlags,
    { name: "tty", short: "t", summary: "give the command a terminal (default: only without CMD)" },
    { name: "no-tty", short: "T", summary: "give it pipes" },
    { name: "interactive", short: "i", summary: "with -d: it can be given input later; else accepted" },
    { name: "no-stdin", short: "n", summary: "give it an empty input" },
    { name: "env", short: "e", value: "K=V", repeats: true, summary: "set a variable; K alone copies it" },
    { name: "env-file", value: "FILE", repeats: true, summary: "variables, one a line" },
    { name: "clean-env", summary: "give it no variables but those" },
    { name: "workdir", short: "wC", aliases: ["cwd"], value: "DIR", summary: "working directory there" },
    { name: "sandbox", value: "WHAT", summary: "read-only, workspace-write or a PROFILE.json" },
    { name: "network", value: "on|off", summary: "for the command (default with --sandbox: off)" },
    { name: "writable", value: "DIR", repeats: true, summary: "with --sandbox: it may write there too" },
    { name: "timeout", value: "TIME", summary: "end it after this time (30s, 5m, 1h)" },
    { name: "idle-timeout", value: "TIME", summary: "end it when it prints nothing for this time" },
    { name: "signal", value: "NAME", summary: "how it is asked to end (default TERM)" },
    { name: "kill-after", short: "k", value: "TIME", summary: "then ended by force (default 5s)" },
    { name: "wait-closed", summary: "wait until nobody holds its output" },
    { name: "leftovers", value: "WHAT", summary: "kill, keep or report what it left running (default kill)" },
    { name: "on-disconnect", value: "WHAT", summary: "wait, detach or kill (default wait)" },
    { name: "reconnect-timeout", value: "TIME", summary: "how long to wait for the server (default 50s)" },
    { name: "escape-char", value: "C", summary: "C. leaves, C? helps, on a terminal (default ~, or none)" },
    { name: "json", summary: "one JSON event a line on stdout" },
    { name: "quiet", short: "q", summary: "say nothing about the connection" },
    { name: "verbose", short: "v", summary: "say more" },
    { name: "color", value: "WHEN", summary: "auto, always or never" },
    { name: "detach", short: "d", summary: "print its id and leave it running there" },
    { name: "name", value: "NAME", summary: "keep it under this name, also when we leave" },
    { name: "label", value: "K=V", repeats: true, summary: "a mark to find a kept one by" },
    { name: "keep", value: "TIME", summary: "how long a kept one can be read after its end (default 24h)" },
    { name: "record", value: "FILE", summary: "record its terminal to a new FILE (asciicast v3)" },
  ],
  run: async (flags, words) => (await import("./run_command.ts")).runCommand(flags, words),
};
