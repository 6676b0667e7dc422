import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, serve } from "../../lib/server/serve.ts";
import { findCodex } from "../support/real_codex.ts";
import { spawnServer } from "../support/target_process.ts";
import { ended, run } from "./run_program.ts";

// What becomes of those whom a command leaves running, here and there.

const codex = await findCodex("0.169.0");
let server: RunningServer;

beforeAll(async () => {
  server = await serve({ listen: "ws://127.0.0.1:0" });
});
afterAll(() => server.close());

/** Waits for him to be what he is. */
const UP = 'until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.01; done';
/** Somebody in a session of his own, who prints nothing. */
const SILENT = `setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!; ${UP}`;
/** The same, and he holds the output. */
const HOLDER = `setsid sleep 600 & echo $!; ${UP}`;

describe.each([["here", () => []], ["on a server", () => ["-s", server.url]]])("%s", (_, where) => {
  test.each([["prints nothing", SILENT], ["holds the output", HOLDER]])(
    "who %s ends with the command",
    async (_, script) => {
      const { status, stdout, stderr } = await run([...where(), "--", "sh", "-c", script]);
      expect([status, stderr]).toEqual([0, ""]);
      await ended(Number(stdout));
    },
  );

  test("who is to be kept is", async () => {
    const { status, stdout, stderr } = await run([...where(), "--leftovers=keep", "sh", "-c", SILENT]);
    expect([status, stderr]).toEqual([0, ""]);
    process.kill(Number(stdout), "SIGKILL"); // throws where nobody is
  });

  test("who is to be reported is named, and kept", async () => {
    const flags = [...where(), "--leftovers", "report"];
    const { status, stdout, stderr } = await run([...flags, "sh", "-c", SILENT]);
    expect([status, stderr]).toEqual([0, `exec-server: left running: ${Number(stdout)} (sleep)\n`]);
    process.kill(Number(stdout), "SIGKILL");
    const json = await run([...flags, "--json", "sh", "-c", SILENT]);
    const lines = json.stdout.trim().split("\n").map((line) => JSON.parse(line));
    const pid = Number(lines.find(({ event }) => event === "stdout").text);
    expect(lines.find(({ event }) => event === "exit").leftovers).toEqual({
      count: 1,
      first: [{ pid, name: "sleep" }],
    });
    process.kill(pid, "SIGKILL");
  });
});

test("what becomes of them is one of three", async () => {
  const { status, stderr } = await run(["--leftovers", "eat", "true"]);
  expect([status, stderr]).toEqual([
    125,
    'exec-server: option --leftovers takes keep, kill, report, not "eat"\nHint: see `exec-server help run`\n',
  ]);
});

test.skipIf(!codex.found)("a plain Codex server is not asked for what it cannot do", async () => {
  if (!codex.found) return;
  await using plain = await spawnServer([codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"]);
  expect(await run(["-s", plain.url, "--leftovers", "keep", "echo", "ran"])).toEqual({
    status: 125,
    stdout: "",
    stderr: "exec-server: --leftovers keep needs a server of ours: this one is a plain Codex server\n" +
      "Hint: leave it out, or run `exec-server serve` there\n",
  });
  expect((await run(["-q", "-s", plain.url, "--timeout", "200ms", "sleep", "60"])).status).toBe(124);
});
