import type { Case } from "../case.ts";
import { FollowedProcess } from "../followed_process.ts";
import { median } from "../statistics.ts";

const TIMES = 40;

/** From asking for `/bin/true` to knowing that it is over. */
export const execs: Case[] = [false, true].map((tty) => ({
  name: tty ? "exec.tty" : "exec.pipe",
  about: `process/start of /bin/true ${tty ? "on a terminal" : "on pipes"} until process/closed`,
  unit: "µs",
  betterIs: "less",
  async once(wire) {
    const took: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      const child = new FollowedProcess(wire);
      const begun = performance.now();
      const answered = child.start(["/bin/true"], { tty });
      await child.closed();
      took.push((performance.now() - begun) * 1000);
      await answered;
    }
    return median(took);
  },
}));
