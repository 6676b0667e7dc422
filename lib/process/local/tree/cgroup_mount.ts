import { dirname, join } from "@std/path";

/**
 * Where the cgroup of a process is in the file system: from its `/proc/PID/mountinfo` and `/proc/PID/cgroup`. On hybrid
 * systems v2 is mounted beside v1, without most controllers. null: v2 is not mounted, or its cgroup is outside of what is.
 */
export function cgroupDirectory(mountinfo: string, cgroup: string): string | null {
  const own = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (own === undefined) return null;
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    if (after?.split(" ")[0] !== "cgroup2") continue;
    const [, , , root, mountPoint] = before!.split(" ").map(unescaped);
    const below = belowRoot(own, root!);
    if (below !== null) return join(mountPoint!, below);
  }
  return null;
}

/** The cgroup around it; null at the top of the mount. */
export function aroundCgroup(directory: string, isCgroup: (directory: string) => boolean): string | null {
  const around = dirname(directory);
  return isCgroup(around) ? around : null;
}

function belowRoot(path: string, root: string): string | null {
  if (path.split("/").includes("..")) return null; // outside of our cgroup namespace
  if (root === "/" || path === root) return root === "/" ? path : "/";
  return path.startsWith(`${root}/`) ? path.slice(root.length) : null;
}

/** Spaces and the like are written in octal there. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}
