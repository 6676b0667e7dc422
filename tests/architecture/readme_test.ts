import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { PROJECT, readProjectFile } from "./project_files.ts";

const TIMEOUT_MS = 120_000;

const README_PORT = 7777;

/** What the README's test command runs here: something small that does not run the README's commands again. */
const SMALL_TEST = "tests/architecture/docs_test.ts";

// Offline, because a test must not wait for a registry: what the README fetches is here already, or is not tried.
const ENV = { ...process.env, EXEC_SERVER_TESTS: SMALL_TEST, npm_config_offline: "true" };

const readme = await readProjectFile("README.md");
const commands = linesMarked("sh run");
const missing = await whatIsMissing();

/** The lines of all blocks that are marked so. */
function linesMarked(mark: string): string[] {
  const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${mark}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))];
  return blocks.flatMap(([, lines = ""]) => lines.trim().split("\n"));
}

async function whatIsMissing(): Promise<string | undefined> {
  if (Bun.which("npx") === null) return "npx is not on this machine";
  await using deno = start("npx -y deno@2.9.5 --version");
  return await deno.exited === 0 ? undefined : "npx has not fetched deno@2.9.5 yet";
}

/** Starts a command as a terminal does: as the leader of a group, so that Ctrl-C reaches all of it. */
function start(command: string) {
  return Bun.spawn(["/bin/sh", "-c", command], {
    cwd: PROJECT,
    env: ENV,
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function runsToItsEnd(command: string): Promise<string> {
  await using child = start(command);
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  expect({ exitCode, complaint: exitCode === 0 ? "" : stdout + stderr }).toEqual({
    exitCode: 0,
    complaint: "",
  });
  return stdout;
}

async function servesUntilInterrupted(
  command: string,
  use: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await using child = start(command);
  const reader = child.stdout.getReader();
  let said = "";
  while (!said.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`It ended without a URL: ${await child.stderr.text()}`);
    said += new TextDecoder().decode(value);
  }
  const url = said.trimEnd().replace("ws://", "http://");
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  try {
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await use();
  } finally {
    process.kill(-child.pid, "SIGINT");
  }
  await child.exited;
  // The end of its stdout: nobody of the group holds it any more.
  while (!(await reader.read()).done);
  expect(fetch(`${url}/readyz`)).rejects.toThrow();
}

/** The README's port, or another where somebody on this machine has it already. */
async function elsewhereIfTaken(): Promise<(command: string) => string> {
  try {
    await Bun.serve({
      hostname: "127.0.0.1",
      port: README_PORT,
      reusePort: false,
      fetch: () => new Response(),
    })
      .stop(true);
    return (command) => command;
  } catch {
    const free = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const { port } = free; // forgotten by the stop
    await free.stop(true);
    console.warn(`readme: port ${README_PORT} is taken here, so ${port} stands in for it`);
    return (command) => command.replaceAll(`:${README_PORT}`, `:${port}`);
  }
}

describe("the README", () => {
  test("offers one command to serve and one to pass the tests", () => {
    expect(commands.slice(0, 2)).toEqual([
      "npx -y deno@2.9.5 task start serve",
      "npx -y deno@2.9.5 task test",
    ]);
  });

  for (const command of commands) {
    // A binary that is not there is one that the README's build command, which was not tried, would have made.
    const reason = command.startsWith("npx") || !existsSync(join(PROJECT, "dist/exec-server"))
      ? missing
      : undefined;
    const name = reason === undefined ? `\`${command}\` works` : `\`${command}\` is not tried: ${reason}`;
    test.skipIf(reason !== undefined)(name, async () => {
      if (command.endsWith("task start serve")) return await servesUntilInterrupted(command);
      const stdout = await runsToItsEnd(command);
      if (command.endsWith(" test")) expect(stdout).toMatch(/\n\d+ passed, 0 failed\n$/);
    }, TIMEOUT_MS);
  }

  test.skipIf(missing !== undefined)("has two terminals, and what it types in the second works", async () => {
    const onFreePort = await elsewhereIfTaken();
    const [serve = ""] = linesMarked("sh serve").map(onFreePort);
    const typed = linesMarked("sh client").map(onFreePort);
    expect(typed.length).toBeGreaterThan(0);
    await servesUntilInterrupted(serve, async () => {
      const said = new Map<string, string>();
      for (const command of typed) said.set(command, await runsToItsEnd(command));
      expect(said.get(typed[0]!)).toBe(`hello from ${hostname()}\n`);
      expect(said.get(typed[1]!)).toContain("lib/mod.ts\n");
    });
  }, TIMEOUT_MS);

  test("shows the program that the library's own test runs", async () => {
    const example = await readProjectFile("tests/support/fixtures/library_example.ts");
    expect(linesMarked("ts example").join("\n")).toBe(
      example.trim().replace("../../../lib/mod.ts", "./lib/mod.ts"),
    );
  });
});
