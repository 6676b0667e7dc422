import type { Mechanism, SandboxStart } from "./mechanism.ts";
import type { MountPlan } from "./mounts.ts";
import type { Arch } from "./numbers.ts";
import { MaskGuard, masksOf } from "./plan_guard.ts";
import {
  ALL_FDS,
  beInit,
  blockSignals,
  closeRange,
  dieWithParent,
  giveUpTerminal,
  keepOurDescriptors,
  watch,
} from "./plan_monitor.ts";
import { enterNamespaces } from "./plan_namespaces.ts";
import { HANDOVER_FD, passListeners } from "./plan_network.ts";
import {
  CWD_STEP,
  dropCapabilities,
  enterDirectory,
  execute,
  filterCalls,
  forbidNewPrivileges,
  PROGRAM_STEP,
  restoreSignals,
} from "./plan_target.ts";
import { buildView, dropOldRoot, mountProc } from "./plan_view.ts";
import { SETUP_FAILED_EXIT, STATUS_FD } from "./plan_layout.ts";
import { Program } from "./program.ts";
import { O_CLOEXEC, SIGCHLD } from "./linux.ts";
import { UnenforceableError } from "./unenforceable.ts";

export interface Confined {
  /** null: the host's own, and nothing but the network is confined. */
  readonly view: MountPlan | null;
  readonly network: "restricted" | "enabled";
  /** Ports of a loopback of the sandbox's own, whatever `network` says: they lead to the host's, and nothing else does. */
  readonly outlets?: readonly number[] | undefined;
}

/** What this machine and this server are like. */
export interface Surroundings {
  readonly arch: Arch;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** What is to be covered in a fresh /proc. */
  readonly coveredProc: readonly string[];
}

export interface Plan {
  readonly bytes: Uint8Array;
  /** What a record was about that the helper reported as failed. */
  explain(record: number): { kind: "program" | "cwd" | "setup"; what: string };
}

/**
 * Two pipes, on the lowest numbers that are free. Init watches the first, whose other end the monitor keeps as long as
 * it lives. By the second the target hears that init has no rights left to be misused, and that it watches.
 */
const PIPES = { life: STATUS_FD + 1, ready: STATUS_FD + 3 } as const;
const LIFE_HELD = PIPES.life + 1;
const READY_SAID = PIPES.ready + 1;
const TIOCSCTTY = 0x540e;

/** All that happens between the server's spawn and the program's first instruction, as a list of system calls. */
export function planStart(
  confined: Confined,
  start: SandboxStart,
  mechanism: Mechanism,
  surroundings: Surroundings,
): Plan {
  const program = new Program(surroundings.arch);
  keepOurDescriptors(program, confined.outlets === undefined ? STATUS_FD : HANDOVER_FD);
  if (mechanism.kind === "seccomp" || confined.view === null) planFiltered(program, confined, start);
  else planNamespaced(program, { ...confined, view: confined.view }, start, mechanism, surroundings);
  return {
    bytes: program.build(),
    explain(record) {
      const what = program.what(record);
      return { kind: what === PROGRAM_STEP ? "program" : what === CWD_STEP ? "cwd" : "setup", what };
    },
  };
}

/**
 * Where only the network is confined, the helper itself becomes the program. When the server is killed it lives on, as
 * one that is not confined does: its filter needs nobody, and it keeps nothing on the host for which somebody has to clear
 * up. The others die because their mask points would be left without a holder.
 */
function planFiltered(program: Program, { network, outlets }: Confined, start: SandboxStart): void {
  if (outlets !== undefined) throw new UnenforceableError("no network of its own without namespaces");
  enterDirectory(program, start.cwd);
  if (network === "restricted") {
    forbidNewPrivileges(program);
    filterCalls(program, "restricted");
  }
  execute(program, start);
}

/**
 * The helper becomes a monitor outside the new pid namespace. It makes an init, whose end is everybody's, and the
 * target as a child of its own, so that it sees how that ends.
 */
function planNamespaced(
  program: Program,
  { view, network, outlets }: Confined & { view: MountPlan },
  start: SandboxStart,
  mechanism: Mechanism & { kind: "namespaces" },
  { pid, uid, gid, coveredProc }: Surroundings,
): void {
  dieWithParent(program, pid);
  if (start.tty) giveUpTerminal(program);
  const signals = blockSignals(program);
  const mask = program.room(8);
  program.call("umask", [0], { what: "set the umask", into: mask });
  const mode = outlets === undefined ? network : "proxied";
  const user = mechanism.userNamespace ? { uid, gid } : null;
  enterNamespaces(program, { user, pid: true, network: mode === "enabled" ? "enabled" : "restricted" });
  if (outlets !== undefined) passListeners(program, outlets);

  const [init, target] = [program.room(8), program.room(8)];
  const [asInit, asTarget] = [program.label(), program.label()];
  const fork = [SIGCHLD, 0, 0, 0, 0];
  // Init is made early: while the view is built it gets ready.
  for (const what of ["make a pipe for life", "make a pipe for readiness"]) {
    program.call("pipe2", [program.room(8), O_CLOEXEC], { what });
  }
  program.call("clone", fork, { what: "make an init", into: init, onZero: asInit });
  buildView(program, view);
  closeRange(program, READY_SAID, ALL_FDS);
  program.call("write", [LIFE_HELD, program.room(8), 1], { what: "tell init" });
  program.call("clone", fork, { what: "make a process", into: target, onZero: asTarget });
  // The end of input, output and terminal comes when the target lets go of them.
  closeRange(program, 0, PIPES.life);
  closeRange(program, PIPES.ready, ALL_FDS);
  program.call("chdir", [program.text("/")], { what: "leave the directory", onError: "ignore" });
  watch(program, target, init);

  program.place(asInit);
  beInit(program, PIPES, new MaskGuard(program, masksOf(view)), () => dropCapabilities(program));

  program.place(asTarget);
  const unwatched = program.label();
  program.call("read", [PIPES.ready, program.room(8), 1], { what: "wait for init", onZero: unwatched });
  program.call("setsid", [], { what: "begin a session" });
  if (start.tty) program.call("ioctl", [0, TIOCSCTTY, 0], { what: "take the terminal" });
  if (mechanism.freshProc) mountProc(program, coveredProc);
  if (view.base === "minimal") dropOldRoot(program);
  dropCapabilities(program);
  enterDirectory(program, start.cwd);
  program.call("umask", [{ load: mask }], { what: "restore the umask" });
  restoreSignals(program, signals);
  filterCalls(program, mode);
  execute(program, start);

  program.place(unwatched); // init has told why
  program.call("exit_group", [SETUP_FAILED_EXIT], { what: "exit" });
}
