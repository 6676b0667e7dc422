/** Items of the checklist in which the real server is known not to do what ours must, and why. */
export const KNOWN_DIFFERENCES: ReadonlyMap<number, { extent: "all" | "part"; reason: string }> = new Map([
  [12, { extent: "part", reason: "drops a single frame above 16 MiB, where ours may take it" }],
  [15, {
    extent: "all",
    reason: "leaves Nagle's algorithm on: start to closed of /bin/true takes 51 ms (Q2)",
  }],
  [20, { extent: "part", reason: "the end of stdin mostly overtakes the answer to the last line" }],
  [42, {
    extent: "all",
    reason: "its sender tasks race after numbering, so some events leave out of order (Q1)",
  }],
  [50, { extent: "part", reason: "sends no error.data, where ours names phase, errno and path" }],
  [65, { extent: "part", reason: "with more than 128 requests in flight a connection can stall for ever" }],
]);

/** Why a test of the real server that needs 30 s or more only runs in a soak. */
export const REAL_TIME = "takes its time for real; set CONFORMANCE_SOAK=1 to wait for it";
