import type { Case } from "../case.ts";
import { FollowedProcess } from "../followed_process.ts";
import { median } from "../statistics.ts";

// Each waits for the one before, as a person who looks at what they type; a line of a terminal holds 4095.
const KEYS = 40;

export const echo: Case = {
  name: "echo.key",
  about: "a key typed on a terminal until its echo is here",
  unit: "µs",
  betterIs: "less",
  async once(wire) {
    const child = new FollowedProcess(wire);
    await child.start(["/bin/cat"], { tty: true });
    const took: number[] = [];
    for (let i = 0; i < KEYS; i++) {
      const begun = performance.now();
      await child.typeFor("x", 1);
      took.push((performance.now() - begun) * 1000);
      await child.settled();
    }
    await child.terminate();
    return median(took);
  },
};
