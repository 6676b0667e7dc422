import type { Command } from "../command.ts";
import { placeFlags } from "../place/place_flags.ts";

// The commands about processes that outlive whoever started them, in the command table.

const KEPT = "Kept are commands of `exec-server run` with -d, --name or --keep, on a server of ours.";

export const psEntry: Command = {
  name: "ps",
  usage: "ps [--json] [--label K=V]… [-s URL | --host NAME]",
  summary: "List the kept commands of a server",
  details: KEPT,
  optionsAnywhere: true,
  flags: [
    ...placeFlags,
    { name: "json", summary: "one JSON object a line" },
    { name: "label", value: "K=V", repeats: true, summary: "only those with this mark" },
  ],
  run: async (flags, words) => (await import("./ps_command.ts")).psCommand(flags, words),
};

export const logsEntry: Command = {
  name: "logs",
  usage: "logs ID|NAME [-f] [--tail N] [--grep RE] [flags]",
  summary: "Show what a kept command printed",
  details:
    "The server searches: only what was asked for is sent. RE is a regular expression as JavaScript writes\n" +
    "it, without references back and look-around; (?i) at its beginning ignores case.",
  optionsAnywhere: true,
  flags: [
    ...placeFlags,
    { name: "follow", short: "f", summary: "wait for more, until its end" },
    { name: "head", value: "N", summary: "the first N lines" },
    { name: "tail", value: "N", summary: "the last N lines" },
    { name: "since", value: "SEQ", summary: "from this event on" },
    { name: "stream", value: "S", summary: "stdout, stderr or pty alone" },
    { name: "grep", value: "RE", summary: "only lines in which this is found" },
  ],
  run: async (flags, words) => (await import("./logs_command.ts")).logsCommand(flags, words),
};

export const attachEntry: Command = {
  name: "attach",
  usage: "attach ID|NAME [flags]",
  summary: "Stay with a kept command, and end as it does",
  details:
    "Shows all that it printed, then what it prints. Many may look at the same time; whoever attached last\n" +
    "with input is the one who types. ~. or Ctrl-C leaves, and the command runs on.\n\n" +
    "Exit status: as of `exec-server run`; 255 where it was left.",
  optionsAnywhere: true,
  flags: [
    ...placeFlags,
    { name: "interactive", short: "i", summary: "give it our input, and its end (default: on a terminal)" },
    { name: "no-stdin", short: "n", summary: "only look" },
    { name: "wait-closed", summary: "wait until nobody holds its output" },
    { name: "escape-char", value: "C", summary: "C. leaves, C? helps, on a terminal (default ~, or none)" },
    { name: "json", summary: "one JSON event a line on stdout" },
    { name: "quiet", short: "q", summary: "say nothing about the connection" },
    { name: "verbose", short: "v", summary: "say more" },
  ],
  run: async (flags, words) => (await import("./attach_command.ts")).attachCommand(flags, words),
};

export const waitEntry: Command = {
  name: "wait",
  usage: "wait ID|NAME… [-s URL | --host NAME]",
  summary: "Wait for kept commands, and end as the last one named",
  details: "Exit status: as of `exec-server run`; 125 where there is no such command.",
  optionsAnywhere: true,
  flags: placeFlags,
  run: async (flags, words) => (await import("./wait_command.ts")).waitCommand(flags, words),
};

export const killEntry: Command = {
  name: "kill",
  usage: "kill [-s SIGNAL] ID|NAME… [--server URL | --host NAME]",
  summary: "End kept commands, or send them a signal",
  details: "Without -s each is asked by TERM and ended by force after 5 s, with all that it started.",
  optionsAnywhere: true,
  flags: [
    // -s is the signal here, as in every kill.
    ...placeFlags.map(({ short: _, ...flag }) => flag),
    {
      name: "signal",
      short: "s",
      value: "SIGNAL",
      summary: "INT, TERM, HUP, QUIT, USR1, USR2, KILL, STOP, CONT",
    },
  ],
  run: async (flags, words) => (await import("./kill_command.ts")).killCommand(flags, words),
};
