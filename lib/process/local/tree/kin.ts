import { readdirSync, readFileSync } from "node:fs";
import { osErrorCode } from "../../../base/os_error.ts";

// Who is whose child, as /proc tells it. Whoever has ended meanwhile is nobody's.

/** Of a process as it is at this moment. */
export interface Kin {
  readonly pid: number;
  readonly name: string;
  /** The dead that nobody has reaped yet are still listed. */
  readonly isDead: boolean;
  readonly group: number;
  /** Its own processor time and that of the children it has waited for. */
  readonly cpuMs: number;
}

/** The kernel counts in hundredths of a second wherever it speaks to programs. */
const MS_PER_TICK = 10;

export function kinOf(pid: number): Kin | null {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name may hold anything, so count from its last parenthesis: state, parent, group and so on.
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  const ticks = [11, 12, 13, 14].reduce((sum, place) => sum + Number(fields[place]), 0);
  return {
    pid,
    name: stat.slice(stat.indexOf("(") + 1, end),
    isDead: fields[0] === "Z" || fields[0] === "X",
    group: Number(fields[2]),
    cpuMs: ticks * MS_PER_TICK,
  };
}

/** The children of all its threads. */
export function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    return ignoreGone(error, []);
  }
  return threads.flatMap((thread) => childrenOfThread(pid, thread));
}

/** Orphans become children of the first thread, whoever of us started their forebears. */
export function childrenOfThread(pid: number, thread: number | string): number[] {
  const text = textOf(`/proc/${pid}/task/${thread}/children`);
  return text === null || text === "" ? [] : text.trimEnd().split(" ").map(Number);
}

/** Its soft limit on file locks; Infinity is none. */
export function lockLimitOf(pid: number): number | null {
  const limits = textOf(`/proc/${pid}/limits`);
  const soft = limits === null ? undefined : /^Max file locks +(\S+)/m.exec(limits)?.[1];
  if (soft === undefined) return null;
  return soft === "unlimited" ? Infinity : Number(soft);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return ignoreGone(error, null);
  }
}

/** EACCES and EPERM: it has become somebody else's, whom we may not look into. */
function ignoreGone<T>(error: unknown, instead: T): T {
  const code = osErrorCode(error);
  if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM") return instead;
  throw error;
}
