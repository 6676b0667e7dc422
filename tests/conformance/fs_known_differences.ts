/** Items of the checklist of files in which the real server is known not to do what ours must, and why. */
export const FS_KNOWN_DIFFERENCES: ReadonlyMap<number, { extent: "all" | "part"; reason: string }> = new Map([
  [14, { extent: "all", reason: "its walk loses names with a tab, a line end or no UTF-8 to `errors`" }],
  [17, {
    extent: "part",
    reason: "whole 512 MiB answers are tried on ours only, for the memory of the test",
  }],
  [30, {
    extent: "part",
    reason: "sends createdAtMs 0 unless it follows no links, where ours has the birth time",
  }],
  [36, { extent: "all", reason: "it empties a file that is copied onto itself" }],
  [55, {
    extent: "part",
    reason:
      "it moves a repeated header to the first of its name, and cuts a body to a content-length that lies",
  }],
  [60, { extent: "part", reason: "it reads some 100 MiB ahead of a client that takes nothing" }],
  [88, { extent: "part", reason: "it has capabilities/discoverV2 and environmentConfig/read" }],
]);
