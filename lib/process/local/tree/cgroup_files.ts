import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { osErrorCode } from "../../../base/os_error.ts";

// A cgroup is a directory, and what is known of it and wanted of it are files in it.

export function readCgroup(directory: string, file: string): string | null {
  try {
    return readFileSync(`${directory}/${file}`, "utf8");
  } catch {
    return null; // it has none of that, or is gone
  }
}

/** False where the kernel does not take it. */
export function writeCgroup(directory: string, file: string, value: string): boolean {
  try {
    writeFileSync(`${directory}/${file}`, value);
    return true;
  } catch {
    return false;
  }
}

export function makeCgroup(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

/** One of the `name number` lines of a file; null where it is not there. */
export function countIn(directory: string, file: string, name: string): number | null {
  const text = readCgroup(directory, file);
  const line = text?.split("\n").find((line) => line.startsWith(`${name} `));
  return line === undefined ? null : Number(line.slice(name.length + 1));
}

/** Everybody in it and in those that its members made below it. The dead are not listed. */
export function membersOf(directory: string): number[] {
  const own = (readCgroup(directory, "cgroup.procs") ?? "").split("\n").filter((line) => line !== "").map(
    Number,
  );
  return [...own, ...cgroupsIn(directory).flatMap(membersOf)];
}

/** False while somebody is in it. */
export function isEmpty(directory: string): boolean {
  return countIn(directory, "cgroup.events", "populated") !== 1;
}

/** With those below it. False while somebody is in one of them. */
export function removeCgroup(directory: string): boolean {
  const below = cgroupsIn(directory).map(removeCgroup);
  if (below.includes(false)) return false;
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return osErrorCode(error) === "ENOENT";
  }
}

/** Quicker than to list them. */
export function hasCgroups(directory: string): boolean {
  return (statSync(directory, { throwIfNoEntry: false })?.nlink ?? 0) > 2;
}

export function cgroupsIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((
      entry,
    ) => `${directory}/${entry.name}`);
  } catch {
    return []; // gone
  }
}
