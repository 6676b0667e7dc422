import type { Case } from "../case.ts";
import { median } from "../statistics.ts";

const TIMES = 3_000;

export const ping: Case = {
  name: "rpc.ping",
  about: "environment/status, asked and answered",
  unit: "µs",
  betterIs: "less",
  async once(wire) {
    const took: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      const begun = performance.now();
      await wire.ask("environment/status", {});
      took.push((performance.now() - begun) * 1000);
    }
    return median(took);
  },
};
