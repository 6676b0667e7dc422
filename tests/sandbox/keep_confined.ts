import { rulesOf, spawnConfined } from "./confined.ts";

/** Starts a confined program that sleeps for as long as it is told, and stays. */
const seconds = process.argv[2] ?? "";
const { began, child } = await spawnConfined(rulesOf([]), {
  programs: ["/bin/sleep"],
  argv: ["sleep", seconds],
});
await began;
console.log("began");
await child.exited;
