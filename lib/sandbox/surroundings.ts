import { lstatSync } from "node:fs";
import { PROC_TO_COVER, PROC_TO_COVER_FROM_ROOT } from "./plan_view.ts";
import type { Surroundings } from "./plan.ts";
import { UnenforceableError } from "./unenforceable.ts";

let found: Surroundings | undefined;

/** What this machine and this server are like; throws an UnenforceableError where no helper can run at all. */
export function surroundings(): Surroundings {
  return (found ??= lookAround());
}

function lookAround(): Surroundings {
  const { arch, platform, geteuid, getegid } = process;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64") || !geteuid || !getegid) {
    throw new UnenforceableError(`${platform} on ${arch} has no sandbox`);
  }
  const uid = geteuid();
  const covered = [...PROC_TO_COVER, ...(uid === 0 ? PROC_TO_COVER_FROM_ROOT : [])];
  return {
    arch,
    pid: process.pid,
    uid,
    gid: getegid(),
    coveredProc: covered.filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined),
  };
}
