import { PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, SIG_SETMASK, SIGSET_BYTES } from "./linux.ts";
import type { SandboxStart } from "./mechanism.ts";
import type { Address, Program } from "./program.ts";
import { filterFor, type NetworkMode } from "./seccomp.ts";

/** What failed records of these are about; all others are about the sandbox itself. */
export const PROGRAM_STEP = "run the program";
export const CWD_STEP = "enter the working directory";

/** More than any kernel has; dropping one that it does not have fails, and that is no harm. */
const CAPABILITIES = 64;
const CAPABILITY_VERSION_3 = 0x20080522;
const ENOENT = 2;
const ENOTDIR = 20;
const SECCOMP_SET_MODE_FILTER = 1;

/** Nothing that runs from here on can do what its user could not, root included. */
export function dropCapabilities(program: Program): void {
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    program.call("prctl", [PR_CAPBSET_DROP, capability, 0, 0, 0], {
      what: "drop a capability",
      onError: "ignore",
    });
  }
  const header = program.words(CAPABILITY_VERSION_3);
  program.call("capset", [header, program.room(24)], { what: "drop all capabilities" });
  forbidNewPrivileges(program);
}

export function forbidNewPrivileges(program: Program): void {
  program.call("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], { what: "forbid new privileges" });
}

export function filterCalls(program: Program, mode: NetworkMode): void {
  const filter = filterFor(mode, program.arch);
  const header = program.words(filter.length / 8, program.bytes(filter));
  program.call("seccomp", [SECCOMP_SET_MODE_FILTER, 0, header], { what: "filter system calls" });
}

export function enterDirectory(program: Program, cwd: string | Uint8Array): void {
  program.call("chdir", [program.text(byteText(cwd))], { what: CWD_STEP });
}

export function restoreSignals(program: Program, before: Address): void {
  const args = [SIG_SETMASK, before, 0, SIGSET_BYTES];
  program.call("rt_sigprocmask", args, { what: "restore signals" });
}

/** The end of the helper: it becomes the program. */
export function execute(program: Program, { programs, argv, env }: SandboxStart): void {
  const texts = (values: readonly (string | Uint8Array)[]) =>
    program.array([...values.map((value) => program.text(byteText(value))), 0]);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const rest = [texts(argv), texts(variables)];
  // Without a candidate nothing can be found, which is what the system says of an empty name.
  const candidates = (programs.length === 0 ? [""] : programs).map((path) => program.text(byteText(path)));
  const options = { what: PROGRAM_STEP };
  for (const path of candidates.slice(0, -1)) {
    program.call("execve", [path, ...rest], { ...options, onError: "ignore" });
  }
  if (candidates.length > 1) reportWhatIsThere(program, candidates, rest);
  program.call("execve", [candidates.at(-1)!, ...rest], options);
}

/** As a search in a PATH tells it: a program that is there and may not be run is told of before one that is missing. */
function reportWhatIsThere(program: Program, candidates: readonly Address[], rest: readonly Address[]): void {
  const result = program.room(8);
  for (const path of candidates) {
    const next = program.label();
    program.call("execve", [path, ...rest], { what: PROGRAM_STEP, into: result, onError: "ignore" });
    for (const missing of [ENOENT, ENOTDIR]) program.gotoIf(result, -missing, next);
    program.call("execve", [path, ...rest], { what: PROGRAM_STEP });
    program.place(next);
  }
}

/** One character for each byte. */
function byteText(value: string | Uint8Array): string {
  if (typeof value !== "string") return Buffer.from(value).toString("latin1");
  return /[^ -~]/.test(value) ? Buffer.from(value).toString("latin1") : value;
}
