import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import { planHold, READY } from "./hold_plan.ts";
import { helperPath, planFile } from "./helper_file.ts";
import { kindOf } from "./launch.ts";
import { makeStatusPipe } from "./libc.ts";
import { O_CLOEXEC, O_PATH } from "./linux.ts";
import { holdMaskPoints } from "./mask_points.ts";
import type { Mechanism } from "./mechanism.ts";
import { mountPlanOf } from "./mounts.ts";
import type { Plan } from "./plan.ts";
import type { Rules } from "./rules.ts";
import { surroundings } from "./surroundings.ts";
import { UnenforceableError } from "./unenforceable.ts";
import { PinnedView } from "./view.ts";

/** A view takes some milliseconds. Who takes so long is stuck, on a file system that does not answer perhaps. */
const PATIENCE_MS = 10_000;

/** Somebody may change the disk between a look at it and the mounts. */
const TRIES = 3;

/** Builds what a sandbox of these rules would see. Rejects with an UnenforceableError. */
export async function holdView(
  rules: Rules,
  mechanism: Mechanism & { kind: "namespaces" },
): Promise<PinnedView> {
  for (let tries = 1;; tries++) {
    try {
      return await tryToHold(rules, mechanism);
    } catch (error) {
      if (!(error instanceof UnenforceableError)) throw asUnenforceable(error);
      if (tries === TRIES) throw error;
    }
  }
}

/** What the system has refused us, such as descriptors. */
function asUnenforceable(error: unknown): unknown {
  const code = osErrorCode(error);
  return code === null
    ? error
    : new UnenforceableError(`hold a view: ${osErrorText(code)}`, { cause: error });
}

async function tryToHold(rules: Rules, mechanism: Mechanism & { kind: "namespaces" }): Promise<PinnedView> {
  const around = surroundings();
  if (readlinkSync("/proc/self") !== String(process.pid)) {
    throw new UnenforceableError("/proc is not that of our pid namespace");
  }
  const mounts = openSync("/proc/self/mountinfo", constants.O_RDONLY | O_CLOEXEC); // it counts changes from here on
  let release = () => closeSync(mounts);
  try {
    const points = holdMaskPoints(rules);
    release = () => {
      closeSync(mounts);
      points.release();
    };
    const plan = planHold(mountPlanOf(points.rules, kindOf), mechanism, around);
    const pinned = await build(plan, helperPath(around.arch));
    release = () => {}; // whatever it finds, the view sees to it
    return new PinnedView(points.rules, { ...pinned, mounts }, points.release);
  } catch (error) {
    release();
    throw error;
  }
}

/** The root of the view, and the mount namespace without which its mounts would go. */
async function build(plan: Plan, program: string): Promise<{ root: number; namespace: number }> {
  const planFd = planFile(plan.bytes);
  const status = makeStatusPipe();
  if (status === null) {
    closeSync(planFd);
    throw new UnenforceableError("too many open files");
  }
  let helper: Bun.Subprocess<"pipe", "ignore", "ignore">;
  try {
    helper = Bun.spawn([program], {
      argv0: "exec-server-view",
      cwd: "/",
      env: {},
      stdio: ["pipe", "ignore", "ignore", planFd, status.writeEnd],
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
    });
  } catch (error) {
    closeSync(status.readEnd);
    throw error;
  } finally {
    closeSync(planFd);
    closeSync(status.writeEnd);
  }
  try {
    await ready(status.readEnd, plan);
    return pin(helper.pid);
  } finally {
    helper.kill("SIGKILL");
  }
}

/** Closes the descriptor. */
async function ready(fd: number, plan: Plan): Promise<void> {
  const reader = Bun.file(fd).stream().getReader();
  const first = reader.read();
  closeSync(fd); // the stream reads from a descriptor of its own once its first read has begun
  const { value } = await first; // the report is one write to a pipe, and comes whole
  await reader.cancel();
  if (value === undefined) throw new UnenforceableError("the helper ended without a word");
  if (Buffer.from(value).toString() === READY) return;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const { what } = plan.explain(view.getUint32(4, true));
  throw new UnenforceableError(`${what}: ${osErrorText(getSystemErrorName(-view.getUint32(0, true)))}`);
}

function pin(helper: number): { root: number; namespace: number } {
  const root = openSync(`/proc/${helper}/root`, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    return { root, namespace: openSync(`/proc/${helper}/ns/mnt`, constants.O_RDONLY | O_CLOEXEC) };
  } catch (error) {
    closeSync(root);
    throw error;
  }
}
