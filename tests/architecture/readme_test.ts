import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, readProjectFile } from "./project_files.ts";

const TIMEOUT_MS = 120_000;

/** What the README's test command runs here: something small that does not run the README's commands again. */
const SMALL_TEST = "tests/architecture/docs_test.ts";

// Offline, because a test must not wait for a registry: what the README fetches is here already, or is not tried.
const ENV = { ...process.env, EXEC_SERVER_TESTS: SMALL_TEST, npm_config_offline: "true" };

const commands = runnableCommands(await readProjectFile("README.md"));
const missing = await whatIsMissing();

/** The lines of all blocks that are marked with `run`. */
function runnableCommands(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```sh run\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, lines = ""]) => lines.trim().split("\n"));
}

async function whatIsMissing(): Promise<string | undefined> {
  if (Bun.which("npx") === null) return "npx is not on this machine";
  await using deno = start("npx -y deno@2.9.5 --version");
  return await deno.exited === 0 ? undefined : "npx has not fetched deno@2.9.5 yet";
}

/** Starts a command as a terminal does: as the leader of a group, so that Ctrl-C reaches all of it. */
function start(command: string) {
  return Bun.spawn(command.split(" "), {
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

async function servesUntilInterrupted(command: string): Promise<void> {
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
  } finally {
    process.kill(-child.pid, "SIGINT");
  }
  await child.exited;
  // The end of its stdout: nobody of the group holds it any more.
  while (!(await reader.read()).done);
  expect(fetch(`${url}/readyz`)).rejects.toThrow();
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
      if (/(start|exec-server) serve$/.test(command)) return await servesUntilInterrupted(command);
      const stdout = await runsToItsEnd(command);
      if (command.endsWith(" test")) expect(stdout).toMatch(/\n\d+ passed, 0 failed\n$/);
    }, TIMEOUT_MS);
  }
});
