import { runCommandLine } from "./cli/command_line.ts";

process.exitCode = await runCommandLine(process.argv.slice(2));
