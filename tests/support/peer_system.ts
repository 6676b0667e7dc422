import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { runToEnd } from "./target_process.ts";
import { untilTrue } from "./peer_deadline.ts";

/** A directory that goes away with the test. */
export function scratchDirectory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "conformance-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

type ProcessState = { pid: number; group: number; session: number; state: string };

function stateOf(pid: string): ProcessState | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything, so count from the last one.
    const [state, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid: Number(pid), group: Number(group), session: Number(session), state };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** Living members of a process group. The dead that nobody has reaped yet do not count. */
export function groupMembers(group: number): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(stateOf)
    .filter((found) => found?.group === group && !"ZX".includes(found.state))
    .map((found) => (found as ProcessState).pid);
}

export function isAlive(pid: number): boolean {
  const found = stateOf(String(pid));
  return found !== undefined && !"ZX".includes(found.state);
}

export async function untilGroupIsGone(group: number, deadlineMs?: number): Promise<void> {
  await untilTrue(() => groupMembers(group).length === 0, `the end of process group ${group}`, deadlineMs);
}

/** A gate a child waits at with `read go < PATH` until the test opens it, which lets one `read` through. */
export async function makeGate(path: string): Promise<Disposable & { open(): void }> {
  const made = await runToEnd(["mkfifo", path]);
  if (made.code !== 0) throw new Error(`mkfifo failed: ${made.stderr}`);
  // Both ends, so that neither opening nor writing ever waits for the child.
  const fd = openSync(path, constants.O_RDWR);
  return { open: () => void writeSync(fd, "go\n"), [Symbol.dispose]: () => closeSync(fd) };
}

export async function untilFile(path: string): Promise<void> {
  await untilTrue(() => existsSync(path), `the file ${path}`);
}

export function putFile(directory: string, name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}
