import { describe, expect, test } from "bun:test";
import { join } from "@std/path";
import { serve } from "../../lib/server/serve.ts";

const EXAMPLE = join(import.meta.dir, "../support/fixtures/library_example.ts");

async function run(...args: string[]): Promise<string> {
  await using child = Bun.spawn([process.execPath, "--no-env-file", EXAMPLE, ...args], {
    cwd: "/",
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return stdout + stderr;
}

describe("the library's example", () => {
  test("is ten lines", async () => {
    expect((await Bun.file(EXAMPLE).text()).trimEnd().split("\n").length).toBeLessThanOrEqual(10);
  });

  test("runs its command here", async () => {
    expect(await run()).toBe("hello from / and exit code 3\n");
  });

  test("runs it on a server, in the same words", async () => {
    const server = await serve({ listen: "ws://127.0.0.1:0" });
    try {
      expect(await run(server.url)).toBe(`hello from ${process.cwd()} and exit code 3\n`);
    } finally {
      await server.close();
    }
  });
});
