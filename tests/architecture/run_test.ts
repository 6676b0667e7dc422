import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const RUN = resolve(import.meta.dir, "../run.ts");

const FILES = {
  "good_test.ts": `test("good", () => {}); test("also good", () => {});`,
  "bad_test.ts": `test("bad", () => { throw new Error("Bad on purpose"); });`,
  "skipped_test.ts": `test.skip("skipped", () => {});`,
  "unloadable_test.ts": `import "./nowhere.ts"; test("never run", () => {});`,
  "slow_test.ts": `test("slow", async () => { await Bun.sleep(60_000); });`,
  // The orphan writes its number to stdout, which it holds open far beyond the end of the tests.
  "orphan_test.ts": `test("leaves a child", () => {
    const child = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "inherit", "inherit"] });
    console.log("orphan " + child.pid);
    child.unref();
  });`,
};

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "exec-server-run-"));
  for (const [name, body] of Object.entries(FILES)) {
    await Bun.write(join(directory, name), `import { test } from "bun:test";\n${body}\n`);
  }
});

afterAll(() => rm(directory, { recursive: true, force: true }));

type End = { exitCode: number; lastLine: string | undefined; output: string };

async function run(names: (keyof typeof FILES)[], ...options: string[]): Promise<End> {
  const paths = names.map((name) => join(directory, name));
  await using child = Bun.spawn([process.execPath, RUN, ...options, ...paths], {
    cwd: directory,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  // Both ends are awaited: a run that leaves its caller waiting for the end of the output fails here.
  const [output, complaints, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { exitCode, lastLine: output.trimEnd().split("\n").at(-1), output: output + complaints };
}

describe("the test run", () => {
  test("ends with its totals and 0 when all pass", async () => {
    expect(await run(["good_test.ts"])).toMatchObject({ exitCode: 0, lastLine: "2 passed, 0 failed" });
  });

  test("ends with its totals and 1 when one fails", async () => {
    const { exitCode, lastLine, output } = await run(["good_test.ts", "bad_test.ts"]);
    expect({ exitCode, lastLine }).toEqual({ exitCode: 1, lastLine: "2 passed, 1 failed" });
    expect(output).toContain("Bad on purpose");
  });

  test("names skipped tests", async () => {
    const { exitCode, lastLine } = await run(["good_test.ts", "skipped_test.ts"]);
    expect({ exitCode, lastLine }).toEqual({ exitCode: 0, lastLine: "2 passed, 0 failed, 1 skipped" });
  });

  test("counts a file that cannot be loaded as a failure", async () => {
    const { exitCode, lastLine } = await run(["good_test.ts", "unloadable_test.ts"]);
    expect({ exitCode, lastLine }).toEqual({ exitCode: 1, lastLine: "2 passed, 1 failed" });
  });

  test("counts finding no test as a failure", async () => {
    const { exitCode, lastLine } = await run(["good_test.ts"], "--test-name-pattern=no such name");
    expect({ exitCode, lastLine }).toEqual({ exitCode: 1, lastLine: "0 passed, 1 failed, 2 skipped" });
  });

  test("hands its options on", async () => {
    const { exitCode, lastLine, output } = await run(["slow_test.ts"], "--timeout=50");
    expect({ exitCode, lastLine }).toEqual({ exitCode: 1, lastLine: "0 passed, 1 failed" });
    expect(output).toContain("timed out after 50ms");
  });

  test("ends although a child that a test left behind holds its output", async () => {
    const { exitCode, lastLine, output } = await run(["orphan_test.ts"]);
    const orphan = Number(/orphan (\d+)/.exec(output)?.[1]);
    expect(process.kill(orphan, 0)).toBe(true);
    process.kill(orphan, "SIGKILL");
    expect({ exitCode, lastLine }).toEqual({ exitCode: 0, lastLine: "1 passed, 0 failed" });
  });
});
