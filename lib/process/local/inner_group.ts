import { readFileSync, readlinkSync } from "node:fs";

/**
 * Stops what runs under a monitor in another pid namespace. The monitor passes signals on, but nobody can pass on the one
 * that would stop himself. False where this is no monitor, or where nothing runs under it.
 */
export function stopInnerGroup(monitor: number): boolean {
  try {
    if (namespace(monitor, "pid") === namespace(monitor, "pid_for_children")) return false;
    const children = readFileSync(`/proc/${monitor}/task/${monitor}/children`, "utf8").trim().split(" ");
    // The other child, the first process of the namespace, has stayed in the monitor's group.
    const leader = children.map(Number).find((pid) => pid > 0 && groupOf(pid) === pid);
    if (leader === undefined) return false;
    process.kill(-leader, "SIGSTOP");
    return true;
  } catch {
    return false; // it has ended meanwhile
  }
}

function namespace(pid: number, name: string): string {
  return readlinkSync(`/proc/${pid}/ns/${name}`);
}

function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before may hold anything; behind its last parenthesis: state, parent, group.
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}
