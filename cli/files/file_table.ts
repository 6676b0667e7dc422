import type { Command } from "../command.ts";
import { placeFlags } from "../place/place_flags.ts";

/** `cp` and `fs` in the command table. */
export const cpEntry: Command = {
  name: "cp",
  usage: "cp [flags] SRC… DST",
  summary: "Copy files to a server and back; `:path` is on the server",
  details:
    "`:path` is a path on the server: from its working directory unless it begins with / or ~. `-` is stdin or\n" +
    "stdout; ./-, ./:name are files here. Several sources need a directory as DST. A file is at its place only\n" +
    "when it is whole. A copy that was cut goes on where it was, also in a later run. In trees links stay links.\n" +
    "A plain Codex server knows less: an upload to it starts again, loses modes and times, and what links lead to\n" +
    "is copied, unless both paths are there.\n\n" +
    "Exit status: 0; 1 something was not copied; 2 usage; 255 connection.",
  stopsAtWord: true,
  flags: [
    ...placeFlags,
    { name: "recursive", short: "rR", summary: "directories with all that is in them" },
    { name: "dereference", short: "L", summary: "copy what links in a tree lead to, not the links" },
    { name: "json", summary: "one JSON event a line on stdout" },
    { name: "quiet", short: "q", summary: "no progress, no notices" },
    { name: "verbose", short: "v", summary: "tell what could not be kept" },
  ],
  run: async (flags, words) => (await import("./cp_command.ts")).cpCommand(flags, words),
};

export const fsEntry: Command = {
  name: "fs",
  usage: "fs [flags] ls|cat|stat|mkdir|rm|mv|walk PATH…",
  summary: "Look at and change files where commands would run",
  details: "ls [PATH…]     what is in a directory: kind, size, time, name\n" +
    "cat PATH…      the bytes of files\n" +
    "stat PATH…     what is known of a path\n" +
    "mkdir PATH…    make directories; -p with their parents\n" +
    "rm PATH…       remove files; -r directories with all that is in them, -f what is not there is fine\n" +
    "mv FROM TO     rename; a plain Codex server cannot\n" +
    "walk [PATH]    all that is below, one path a line; -0 ends them with NUL\n\n" +
    "Exit status: 0; 1 something failed; 2 usage; 255 connection.",
  stopsAtWord: true,
  flags: [
    ...placeFlags,
    { name: "json", summary: "one JSON object a line" },
    { name: "parents", short: "p", summary: "mkdir: parents too, and what exists is fine" },
    { name: "recursive", short: "rR", summary: "rm: directories with all that is in them" },
    { name: "force", short: "f", summary: "rm: what is not there is fine" },
    { name: "null", short: "0", summary: "walk: end each path with NUL" },
    { name: "verbose", short: "v", summary: "tell more of what goes wrong" },
  ],
  run: async (flags, words) => (await import("./fs_command.ts")).fsCommand(fsEntry, flags, words),
};
