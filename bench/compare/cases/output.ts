import { type Case, must } from "../case.ts";
import { FollowedProcess } from "../followed_process.ts";

const BYTES = 100_000_000;

export const output: Case = {
  name: "output.pipe",
  about: "100 MB that a command prints, to the last byte",
  unit: "MB/s",
  betterIs: "more",
  async once(wire) {
    const child = new FollowedProcess(wire);
    const begun = performance.now();
    await Promise.all([child.start(["/usr/bin/head", "-c", String(BYTES), "/dev/zero"]), child.closed()]);
    const seconds = (performance.now() - begun) / 1000;
    must(child.received === BYTES, `${child.received} bytes came instead of ${BYTES}`);
    return BYTES / 1e6 / seconds;
  },
};
