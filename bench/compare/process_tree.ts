import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** The kernel's clock ticks a second in /proc, on every Linux that Bun runs on. */
const TICKS = 100;

type Stat = { pid: number; parent: number; seconds: number };

/** Processor seconds that a process and all below it have used, the ended ones that were waited for included. */
export function cpuSeconds(root: number): number {
  return treeOf(root).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** The most memory that any one process of the tree held since `forgetPeak`, in MiB. */
export function peakMiB(root: number): number {
  const peaks = treeOf(root).map(({ pid }) => {
    const [, kib] = /^VmHWM:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`)) ?? [];
    return Number(kib ?? 0) / 1024; // one that has just ended has no memory any more
  });
  return Math.max(...peaks);
}

export function forgetPeak(root: number): void {
  for (const { pid } of treeOf(root)) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function treeOf(root: number): Stat[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap(statOf);
  const tree = all.filter(({ pid }) => pid === root);
  // Grows while it is walked, until nobody's children are missing.
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

function statOf(pid: string): Stat[] {
  const text = textOf(`/proc/${pid}/stat`);
  if (text === "") return [];
  // The name in parentheses may hold anything, so count from the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15);
  const ticks = user! + system! + childrenUser! + childrenSystem!;
  return [{ pid: Number(pid), parent: fields[1]!, seconds: ticks / TICKS }];
}

/** Empty once the process is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ESRCH") return "";
    throw error;
  }
}
