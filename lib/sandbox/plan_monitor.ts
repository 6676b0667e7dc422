import {
  PR_SET_DUMPABLE,
  PR_SET_PDEATHSIG,
  SIG_BLOCK,
  SIG_SETMASK,
  SIGCHLD,
  SIGHUP,
  SIGKILL,
  SIGSET_BYTES,
} from "./linux.ts";
import { PLAN_FD, STATUS_FD } from "./plan_layout.ts";
import type { MaskGuard } from "./plan_guard.ts";
import type { Address, Program } from "./program.ts";

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const TIOCNOTTY = 0x5422;
/** SIG_DFL or SIG_IGN, flags, restorer, mask. */
const SIGACTION_WORDS = (handler: 0 | 1) => [handler, 0, 0, 0];
export const ALL_FDS = 0xffff_ffff;
/** In init, that has closed its stdio: the lowest. */
const LIST_FD = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const CLD_EXITED = 1;
const RLIMIT_CORE = 4;
/** Where a siginfo of SIGCHLD has what; the word at 12 is padding. */
const SIGINFO = { bytes: 128, signo: 0, code: 8, status: 24 } as const;

/** Nothing but the plan and the status pipe besides stdio, or what comes up to `last`, and those not for the program. */
export function keepOurDescriptors(program: Program, last = STATUS_FD): void {
  for (let fd = PLAN_FD; fd <= last; fd++) {
    program.call("fcntl", [fd, F_SETFD, FD_CLOEXEC], { what: "keep a descriptor" });
  }
  closeRange(program, last + 1, ALL_FDS);
}

export function closeRange(program: Program, first: number, last: number): void {
  program.call("close_range", [first, last, 0], { what: "close descriptors" });
}

/** Dies when its parent does: of the mask directories that the server holds, nobody would know any more. */
export function dieWithParent(program: Program, parent: number): void {
  program.call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0], { what: "die with the server" });
  const [found, alive] = [program.room(8), program.label()];
  // It may have died before that call.
  program.call("getppid", [], { what: "find the server", into: found });
  program.gotoIf(found, parent, alive);
  program.call("exit_group", [1], { what: "exit" });
  program.place(alive);
}

/** Gives the terminal up, so that the target's session can have it; the hang-up that comes with it is not meant. */
export function giveUpTerminal(program: Program): void {
  const what = "give up the terminal";
  setAction(program, SIGHUP, 1, what);
  program.call("ioctl", [0, TIOCNOTTY, 0], { what });
  setAction(program, SIGHUP, 0, what);
}

/** From here on signals wait for the loop. Returns where the mask from before is. */
export function blockSignals(program: Program): Address {
  const before = program.room(SIGSET_BYTES);
  const args = [SIG_BLOCK, allSignals(program), before, SIGSET_BYTES];
  program.call("rt_sigprocmask", args, { what: "block signals" });
  return before;
}

/** Passes signals on to the target until that ends, then ends the same way, with nobody left behind. */
export function watch(program: Program, target: Address, init: Address): void {
  const what = "watch over the program";
  const quiet = { what, onError: "ignore" } as const;
  const [loop, childSaid, ended] = [program.label(), program.label(), program.label()];
  const [all, signal, info, group] = [
    allSignals(program),
    program.room(8),
    program.room(SIGINFO.bytes),
    program.room(8),
  ];
  program.negate(target, group);

  program.place(loop);
  // Fails only when it is woken without a signal for it: stopped, and continued.
  program.call("rt_sigtimedwait", [all, 0, 0, SIGSET_BYTES], { what, into: signal, onError: loop });
  program.gotoIf(signal, SIGCHLD, childSaid);
  const alone = program.label();
  program.call("kill", [{ load: group }, { load: signal }], { what, onError: alone });
  program.goto(loop);
  program.place(alone); // it has no group yet
  program.call("kill", [{ load: target }, { load: signal }], quiet);
  program.goto(loop);

  program.place(childSaid);
  program.call("waitid", [P_PID, { load: target }, info, WEXITED | WNOHANG, 0], { what, onError: ended });
  program.gotoIf(program.after(info, SIGINFO.signo), 0, loop);

  program.place(ended);
  // Its end is the end of its pid namespace, and it is reaped after everyone in there.
  program.call("kill", [{ load: init }, SIGKILL], quiet);
  program.call("waitid", [P_PID, { load: init }, program.room(SIGINFO.bytes), WEXITED, 0], quiet);
  endLike(program, info);
}

function endLike(program: Program, info: Address): void {
  const quiet = { what: "end as the program did", onError: "ignore" } as const;
  const [code, status] = [program.after(info, SIGINFO.code), program.after(info, SIGINFO.status)];
  const [exited, drain, drained] = [program.label(), program.label(), program.label()];
  program.gotoIf(code, CLD_EXITED, exited);
  program.place(drain); // none of those that came late may be what we end by
  program.call("rt_sigtimedwait", [allSignals(program), 0, program.room(16), SIGSET_BYTES], {
    ...quiet,
    onError: drained,
  });
  program.goto(drain);
  program.place(drained);
  // The program has left its core where the system wants it; ours is of no use.
  program.call("prlimit64", [0, RLIMIT_CORE, program.room(16), 0], quiet);
  program.call("prctl", [PR_SET_DUMPABLE, 0, 0, 0, 0], quiet);
  const self = program.room(8);
  program.call(
    "rt_sigaction",
    [{ load: status }, program.words(...SIGACTION_WORDS(0)), 0, SIGSET_BYTES],
    quiet,
  );
  program.call("getpid", [], { ...quiet, into: self });
  program.call("kill", [{ load: self }, { load: status }], quiet);
  program.call("rt_sigprocmask", [SIG_SETMASK, program.room(SIGSET_BYTES), 0, SIGSET_BYTES], quiet);
  program.place(exited);
  program.call("exit_group", [{ load: status }], quiet);
}

/** The descriptors of the pipes between the monitor, init and the target. */
export interface Pipes {
  /** Of init: its other end, the next number, is the monitor's as long as that lives. A byte says that all is mounted. */
  readonly life: number;
  /** Of the target: its other end, the next number, is init's. A byte says that the target may run. */
  readonly ready: number;
}

/**
 * The first process of the pid namespace: everyone in there lives as long as the monitor holds the pipe, and every mask
 * is in its place.
 */
export function beInit(
  program: Program,
  { life, ready }: Pipes,
  guard: MaskGuard,
  confine: () => void,
): void {
  const what = "be init";
  const [gone, lost, built] = [program.label(), program.label(), program.label()];
  program.call("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0], { what });
  // Otherwise our program file could be reached through /proc/1/exe.
  program.call("prctl", [PR_SET_DUMPABLE, 0, 0, 0, 0], { what });
  setAction(program, SIGCHLD, 1, what); // the kernel reaps orphans for us
  program.call("chdir", [program.text("/")], { what });
  closeRange(program, 0, STATUS_FD - 1);
  closeRange(program, life + 1, ready);
  guard.listen();
  confine();
  program.place(built);
  program.call("read", [life, program.room(8), 1], { what, onError: built, onZero: gone });
  guard.check();
  program.call("write", [ready + 1, program.room(8), 1], { what });
  closeRange(program, LIST_FD + 1, life - 1);
  closeRange(program, life + 1, ALL_FDS);
  guard.watch(LIST_FD, life, lost, gone);
  program.place(lost);
  program.place(gone);
  program.call("exit_group", [0], { what });
}

function setAction(program: Program, signal: number, handler: 0 | 1, what: string): void {
  const action = program.words(...SIGACTION_WORDS(handler));
  program.call("rt_sigaction", [signal, action, 0, SIGSET_BYTES], { what });
}

function allSignals(program: Program): Address {
  return program.words(0xffff_ffff_ffff_ffffn);
}
