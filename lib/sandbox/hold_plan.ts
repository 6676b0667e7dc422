import { isWithin } from "./byte_path.ts";
import { AT_FDCWD, MOUNT_ATTR_RDONLY, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE } from "./linux.ts";
import type { Mechanism } from "./mechanism.ts";
import { type MountPlan, SHARED_MEMORY } from "./mounts.ts";
import type { Plan, Surroundings } from "./plan.ts";
import { ABSENT } from "./plan_dev.ts";
import { STATUS_FD } from "./plan_layout.ts";
import { dieWithParent, keepOurDescriptors } from "./plan_monitor.ts";
import { attach, setMountAttributes } from "./plan_mounts.ts";
import { enterNamespaces } from "./plan_namespaces.ts";
import { buildView, dropOldRoot } from "./plan_view.ts";
import { Program } from "./program.ts";

/** What the helper says when the view stands. */
export const READY = "R";

/**
 * Builds what a sandbox of these rules would see, says so, and waits until stdin ends: for somebody who wants to see
 * it too. Runs nothing.
 */
export function planHold(
  view: MountPlan,
  { userNamespace }: Mechanism & { kind: "namespaces" },
  { arch, pid, uid, gid }: Surroundings,
): Plan {
  const program = new Program(arch);
  keepOurDescriptors(program);
  dieWithParent(program, pid);
  program.call("umask", [0], { what: "set the umask" });
  enterNamespaces(program, { user: userNamespace ? { uid, gid } : null, pid: false, network: "enabled" });
  buildView(program, view);
  if (view.base === "minimal") dropOldRoot(program);
  coverProc(program);
  closeSharedMemory(program, view);
  program.call("write", [STATUS_FD, program.text(READY), READY.length], {
    what: "tell that the view stands",
  });
  const [again, over] = [program.label(), program.label()];
  program.place(again);
  program.call("read", [0, program.room(8), 8], { what: "wait", onError: over, onZero: over });
  program.goto(again);
  program.place(over);
  program.call("exit_group", [0], { what: "exit" });
  return {
    bytes: program.build(),
    explain: (record) => ({ kind: "setup", what: program.what(record) }),
  };
}

/**
 * No process is in there that it could tell of; and who looks is no process of the sandbox, but a server that may be
 * root and could read the memory of the machine in it.
 */
function coverProc(program: Program): void {
  const copy = program.room(8);
  const args = [AT_FDCWD, program.text(ABSENT), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC];
  program.call("open_tree", args, { what: "copy", path: ABSENT, into: copy });
  attach(program, copy, "", "/proc");
}

/** What is put there would be in memory, seen by nobody else, and lost when the view goes. */
function closeSharedMemory(program: Program, { attachments }: MountPlan): void {
  if (attachments.some(({ path }) => isWithin(path, SHARED_MEMORY))) return;
  const options = { what: "limit", path: SHARED_MEMORY };
  setMountAttributes(program, SHARED_MEMORY, MOUNT_ATTR_RDONLY, options);
}
