import type { Command } from "../command.ts";
import { placeFlags } from "./place_flags.ts";

/** `info` and `doctor` in the command table. */
export const infoEntry: Command = {
  name: "info",
  usage: "info [--json] [-s URL | --host NAME]",
  summary: "Tell what the environment is that commands would run in",
  stopsAtWord: true,
  flags: [...placeFlags, { name: "json", summary: "one JSON object instead of lines" }],
  run: async (flags, words) => (await import("./info_command.ts")).infoCommand(flags, words),
};

export const doctorEntry: Command = {
  name: "doctor",
  usage: "doctor [-s URL | --host NAME]",
  summary: "Tell what is missing, here or there, and what to do about it",
  details: "One line for each thing it looked at: ok, warn or fail. It runs a short command there.\n" +
    "Exit status: 0, or 1 where something fails.",
  stopsAtWord: true,
  flags: placeFlags,
  run: async (flags, words) => (await import("./doctor_command.ts")).doctorCommand(flags, words),
};
