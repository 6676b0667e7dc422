import { readdirSync, readFileSync, readlinkSync } from "node:fs";

// What the kernel says about a process, so that nothing has to be taken on the word of the program under test.

function fieldOf(pid: number, name: string): string {
  const line = readFileSync(`/proc/${pid}/status`, "utf8").split("\n").find((text) =>
    text.startsWith(`${name}:`)
  );
  if (line === undefined) throw new Error(`Process ${pid} has no ${name}`);
  return line.slice(name.length + 1).trim();
}

/** The memory that a process holds now, in MiB. */
export function residentMiB(pid: number): number {
  return Number.parseInt(fieldOf(pid, "VmRSS")) / 1024;
}

/** The most memory that a process ever held, in MiB. */
export function peakMiB(pid: number): number {
  return Number.parseInt(fieldOf(pid, "VmHWM")) / 1024;
}

/** Where each descriptor of a process leads. */
export function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch (error) {
      // Closed between the listing and the look.
      if ((error as { code?: string }).code === "ENOENT") return [];
      throw error;
    }
  });
}

type Family = { pid: number; parent: number; state: string };

function everybody(): Family[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    const stat = textOf(`/proc/${name}/stat`);
    if (stat === null) return [];
    // The name in parentheses may hold anything, so count from the last one.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [{ pid: Number(name), parent: Number(parent), state }];
  });
}

/** A file of /proc, or null when its process is gone. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return null;
    throw error;
  }
}

/** The direct children of a process; `Z` are those that it has not reaped. */
export function childrenOf(pid: number): Family[] {
  return everybody().filter(({ parent }) => parent === pid);
}

/** Everybody alive whose environment carries this mark, wherever in the family. */
export function aliveWith(mark: string): number[] {
  return everybody().filter(({ state }) => !"ZX".includes(state))
    .filter(({ pid }) => textOf(`/proc/${pid}/environ`)?.includes(mark) === true)
    .map(({ pid }) => pid);
}

/** How many bytes a process has written so far, to whatever. */
export function bytesWrittenBy(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/io`, "utf8").match(/^wchar: (\d+)$/m)?.[1]);
}

/** Resolves with what a process has written once it writes no more: somebody holds it back, or it has nothing to say. */
export function untilItWritesNoMore(pid: number): Promise<number> {
  return untilSteady(() => bytesWrittenBy(pid));
}

/** Resolves with the first number that stays the same for a fifth of a second. */
export async function untilSteady(measure: () => number): Promise<number> {
  const enough = 10;
  let before = Number.NaN;
  for (let same = 0; same < enough;) {
    const now = measure();
    same = now === before ? same + 1 : 0;
    before = now;
    await Bun.sleep(20);
  }
  return before;
}
