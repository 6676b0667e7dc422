import type { OutputSink } from "./pump.ts";
import { writeAll } from "./write_all.ts";

const STDOUT = 1;
const STDERR = 2;

/** The command's bytes as they are, on our streams of the same name. */
export const plainOutput: OutputSink = {
  output: (stream, bytes) => writeAll(stream === "stderr" ? STDERR : STDOUT, bytes),
  gap: () => Promise.resolve(),
  exited: () => Promise.resolve(),
  closed: () => Promise.resolve(),
};
