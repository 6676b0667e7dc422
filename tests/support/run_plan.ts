import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { helperElf } from "../../lib/sandbox/machine.ts";
import type { Arch } from "../../lib/sandbox/numbers.ts";
import { scratchDirectory } from "./peer_system.ts";

const EMULATORS: Record<Arch, string> = { x64: "qemu-x86_64-static", arm64: "qemu-aarch64-static" };

/** The words to run a program of that architecture with, or why it cannot be run on this machine. */
export function runnerOf(arch: Arch): readonly string[] | string {
  if (process.platform !== "linux") return "the helper is for Linux";
  if (process.arch === arch) return [];
  const emulator = Bun.which(EMULATORS[arch]);
  return emulator === null ? `${EMULATORS[arch]} is missing` : [emulator];
}

export interface PlanRun {
  exitCode: number | null;
  signal: NodeJS.Signals | number | null;
  output: Buffer;
  failure: { errno: number; record: number } | null;
}

export interface PlanRunOptions {
  input?: string;
  /** How the plan is opened, "r" if not said. */
  planFlags?: string;
}

/** Runs a built plan by the helper of that architecture, in no namespace but ours. */
export async function runPlan(plan: Uint8Array, arch: Arch, options: PlanRunOptions = {}): Promise<PlanRun> {
  const runner = runnerOf(arch);
  if (typeof runner === "string") throw new Error(`Cannot run a plan for ${arch}: ${runner}`);
  using scratch = scratchDirectory();
  const helper = join(scratch.path, "helper");
  const planFile = join(scratch.path, "plan");
  const statusFile = join(scratch.path, "status");
  writeFileSync(helper, helperElf(arch), { mode: 0o700 });
  writeFileSync(planFile, plan);
  const planFd = openSync(planFile, options.planFlags ?? "r");
  const statusFd = openSync(statusFile, "w");
  await using child = Bun.spawn([...runner, helper], {
    stdio: [Buffer.from(options.input ?? ""), "pipe", "inherit", planFd, statusFd],
    cwd: "/",
    env: {},
    // A plan that goes round in circles ends at some time, also if its test does not wait for it.
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  closeSync(planFd);
  closeSync(statusFd);
  const output = Buffer.from(await child.stdout.bytes());
  await child.exited;
  return { exitCode: child.exitCode, signal: child.signalCode, output, failure: failureIn(statusFile) };
}

function failureIn(statusFile: string): PlanRun["failure"] {
  const status = readFileSync(statusFile);
  return status.length === 0 ? null : { errno: status.readUInt32LE(0), record: status.readUInt32LE(4) };
}
