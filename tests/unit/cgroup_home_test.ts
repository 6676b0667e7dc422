import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { cgroupDirectory } from "../../lib/process/local/tree/cgroup_mount.ts";
import { CgroupHome } from "../../lib/process/local/tree/cgroup_home.ts";
import { untilTrue } from "../support/peer_deadline.ts";

const found = CgroupHome.find();
const why = "why" in found ? found.why : "";

describe.skipIf("why" in found)(`a home for cgroups${why === "" ? "" : ` (${why})`}`, () => {
  const home = "home" in found ? found.home : null;

  test("gives a place again that nobody was killed in, and a new one for the next after that", async () => {
    const seat = home!.take({})!;
    home!.giveBack(seat);
    const again = home!.take({})!;
    expect(again.directory).toBe(seat.directory);
    const options = { cmd: ["sleep", "600"], cgroup: again.directory };
    await using child = Bun.spawn(options);
    expect(again.members()).toEqual([child.pid]);
    again.kill();
    expect(await child.exited).toBe(137);
    home!.giveBack(again);
    const next = home!.take({})!;
    expect(next.directory).not.toBe(seat.directory);
    home!.giveBack(next);
  });

  test("counts the processor time of each that was in a place", async () => {
    const spend = async () => {
      const seat = home!.take({})!;
      const options = {
        cmd: ["sh", "-c", "(i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done) & wait"],
        cgroup: seat.directory,
      };
      await Bun.spawn(options).exited;
      const used = seat.cpuMs();
      home!.giveBack(seat);
      return { used, directory: seat.directory };
    };
    const [first, second] = [await spend(), await spend()];
    expect(second.directory).toBe(first.directory);
    expect(first.used).toBeGreaterThan(0);
    expect(second.used).toBeLessThan(3 * first.used);
  });

  test("tidies up after a server that was killed", async () => {
    const child = Bun.spawn(["true"]);
    await child.exited;
    const own = cgroupDirectory(
      readFileSync("/proc/self/mountinfo", "utf8"),
      readFileSync("/proc/self/cgroup", "utf8"),
    )!;
    const deserted = `${own}/exec-server-${child.pid}-1`;
    mkdirSync(`${deserted}/7`, { recursive: true });
    expect("home" in CgroupHome.find()).toBe(true);
    await untilTrue(() => !existsSync(deserted), "it to be gone");
  });

  test("is gone at the end, as far as nobody is in it", () => {
    home!.remove();
    expect(existsSync(home!.directory)).toBe(false);
  });
});
