import { closeSync, openSync } from "node:fs";
import { Sandbox } from "../../lib/sandbox/launch.ts";

/** Asks one sandbox what the machine can, first while nothing can be opened, and then when it can. */
const sandbox = new Sandbox();
const opened: number[] = [];
try {
  for (;;) opened.push(openSync("/dev/null", "r"));
} catch {
  // That was the last one.
}
const inNeed = await sandbox.support();
for (const fd of opened) closeSync(fd);
console.log(
  JSON.stringify([inNeed, await sandbox.support(), await sandbox.support() === await sandbox.support()]),
);
