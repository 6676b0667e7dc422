import { expect, test } from "bun:test";
import { cgroupDirectory } from "../../lib/process/local/tree/cgroup_mount.ts";

const mount = (root: string, place: string, type = "cgroup2") =>
  `41 31 0:38 ${root} ${place} rw,relatime - ${type} x rw\n`;

test.each([
  ["v2 alone", mount("/", "/sys/fs/cgroup"), "0::/user.slice/a.scope\n", "/sys/fs/cgroup/user.slice/a.scope"],
  [
    "v2 beside v1",
    mount("/", "/sys/fs/cgroup/pids", "cgroup") + mount("/", "/sys/fs/cgroup/unified"),
    "8:pids:/x\n0::/\n",
    "/sys/fs/cgroup/unified/",
  ],
  ["a part of v2", mount("/docker/1", "/sys/fs/cgroup"), "0::/docker/1/own\n", "/sys/fs/cgroup/own"],
  ["that very part", mount("/docker/1", "/sys/fs/cgroup"), "0::/docker/1\n", "/sys/fs/cgroup/"],
  ["a name with a space", mount("/", "/sys/my\\040cgroup"), "0::/a b\n", "/sys/my cgroup/a b"],
  ["another part of v2", mount("/docker/1", "/sys/fs/cgroup"), "0::/docker/12\n", null],
  ["outside of our namespace", mount("/", "/sys/fs/cgroup"), "0::/../other\n", null],
  ["v1 alone", mount("/", "/sys/fs/cgroup/pids", "cgroup"), "8:pids:/\n", null],
  ["v2 that is not mounted", mount("/", "/proc", "proc"), "0::/\n", null],
])("the cgroup of a process is found where there is %s", (_, mounts, cgroup, expected) => {
  expect(cgroupDirectory(mounts, cgroup)).toBe(expected);
});
