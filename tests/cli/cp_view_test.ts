import { describe, expect, test } from "bun:test";
import { join } from "@std/path";
import { Heard } from "./run_program.ts";
import { directory, PROGRAM, shell } from "./file_words.ts";

describe("what cp shows", () => {
  test("is a bar on a terminal, and nothing elsewhere", async () => {
    using dir = directory();
    await Bun.write(join(dir.path, "big"), new Uint8Array(3_000_000).fill(1));
    expect(await shell("$X cp big copy", { cwd: dir.path })).toEqual({ status: 0, stdout: "", stderr: "" });

    const seen = new Heard();
    await using child = Bun.spawn([...PROGRAM, "cp", "--host", "local", "big", "again"], {
      cwd: dir.path,
      terminal: { rows: 24, cols: 80, data: (_, bytes) => seen.add(bytes) },
    });
    await seen.until(/big .*100% +2\.9 MiB .*\/s {2}0:00 left/);
    expect(await child.exited).toBe(0);
    child.terminal?.close();
  });

  test("is one JSON event a line with --json", async () => {
    using dir = directory();
    await shell("mkdir t; head -c 3000000 /dev/zero > t/big; echo x > t/small; mkfifo t/pipe", {
      cwd: dir.path,
    });
    const { status, stdout, stderr } = await shell("$X cp --json -r t copy", { cwd: dir.path });
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    expect(events.map(({ event }) => event).filter((event) => event !== "progress")).toEqual([
      "error",
      "start",
      "done",
    ]);
    expect(events.find(({ event }) => event === "start")).toMatchObject({ files: 2, bytes: 3_000_002 });
    expect(events.at(-1)).toMatchObject({ files: 2, bytes: 3_000_002, ms: expect.any(Number) });
  });

  test("is a line for each thing that was left out", async () => {
    using dir = directory();
    await shell("mkdir t; mkfifo t/pipe", { cwd: dir.path });
    const { status, stderr } = await shell("$X cp -r t copy", { cwd: dir.path });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `exec-server: ${join(dir.path, "t/pipe")}: neither a file nor a directory, left out\n`,
    });
  });
});
