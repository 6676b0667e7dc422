import { describe, expect, test } from "bun:test";
import { CommandError, EXIT, signalStatus, usageError } from "../../cli/exit_status.ts";
import { startError } from "../../cli/run/start_error.ts";
import { ProcessError, type SpawnFailure } from "../../lib/process/process_error.ts";

const ATTEMPT = { program: "cargo", cwd: "/there", asked: null, on: "devbox", path: "/usr/bin:/bin" };

function told(error: unknown, attempt = {}): [string, string | null, number] {
  const command = startError(error, { ...ATTEMPT, ...attempt });
  if (!(command instanceof CommandError)) throw new Error("It was not told");
  return [command.message, command.hint, command.status];
}

const spawn = (failure?: SpawnFailure, message = "") => new ProcessError("spawn", message, failure);

describe("the exit status", () => {
  test("of wrong usage is 2, but for `run`, whose command may end with 2 itself", () => {
    expect(usageError("x", "serve").status).toBe(2);
    expect(usageError("x", null).status).toBe(2);
    expect(usageError("x", "run").status).toBe(125);
  });

  test("of signals is that of shells", () => {
    expect([signalStatus(2), signalStatus(9), signalStatus(13)]).toEqual([
      EXIT.interrupted,
      137,
      EXIT.brokenPipe,
    ]);
  });
});

describe("a start that failed is told", () => {
  test("for a name that is nowhere in PATH", () => {
    expect(told(spawn({ phase: "program", errno: "ENOENT", path: "cargo" }))).toEqual([
      'cannot start "cargo": not found in PATH on devbox (PATH=/usr/bin:/bin)',
      "pass -e PATH or use a full path",
      127,
    ]);
  });

  test.each(
    [
      ["program", "ENOENT", { program: "/x" }, 127],
      ["program", "EACCES", {}, 126],
      ["program", "ENOEXEC", {}, 126],
      ["spawn", "ENOENT", {}, 126],
      ["cwd", "ENOENT", {}, 125],
      ["cwd", "ENOTDIR", {}, 125],
      ["spawn", "E2BIG", {}, 125],
      ["spawn", "EAGAIN", {}, 125],
    ] as const,
  )("%s %s with its status", (phase, errno, attempt, status) => {
    const [message, , told_] = told(spawn({ phase, errno, path: "x" }), attempt);
    expect(told_).toBe(status);
    expect(message).toStartWith("cannot start ");
    expect(message).not.toContain("\n");
  });

  test.each([
    ["No such file or directory (os error 2)", null, 127],
    ["No such file or directory (os error 2)", "/there", 127],
    ["Permission denied (os error 13)", null, 126],
    ["Unable to spawn x because:\n/bin/x is not executable.", null, 126],
    ['Unable to spawn x because:\nNo viable candidates found in PATH "/bin"', null, 127],
    ["Exec format error (os error 8)", null, 126],
    ["something else", null, 125],
  ])("by a plain Codex server's words %j", (message, asked, status) => {
    expect(told(spawn(undefined, message), { asked })[2]).toBe(status);
  });

  test("as it is where it is nothing that the user can mend", () => {
    const error = new TypeError("ours");
    expect(startError(error, ATTEMPT)).toBe(error);
  });
});
