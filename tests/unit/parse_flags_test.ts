import { describe, expect, test } from "bun:test";
import type { Command } from "../../cli/command.ts";
import { CommandError } from "../../cli/exit_status.ts";
import { parseFlags } from "../../cli/parse_flags.ts";

const FLAGS: Command["flags"] = [
  { name: "tty", short: "t", summary: "" },
  { name: "quiet", short: "q", summary: "" },
  { name: "env", short: "e", value: "K=V", repeats: true, summary: "" },
  { name: "workdir", short: "wC", aliases: ["cwd"], value: "DIR", summary: "" },
];

const command = (stopsAtWord: boolean): Command => ({
  name: "run",
  usage: "run",
  summary: "",
  flags: FLAGS,
  ...(stopsAtWord ? { stopsAtWord: true } : {}),
  run: () => Promise.resolve(0),
});

function read(args: string[], stopsAtWord = true) {
  const { flags, words } = parseFlags(command(stopsAtWord), args);
  return {
    tty: flags.has("tty"),
    quiet: flags.has("quiet"),
    env: flags.texts("env"),
    workdir: flags.text("workdir"),
    words,
  };
}

const NONE = { tty: false, quiet: false, env: [], workdir: undefined, words: [] };

function refusal(args: string[], stopsAtWord = true): string {
  try {
    read(args, stopsAtWord);
  } catch (error) {
    if (error instanceof CommandError) return error.message;
  }
  throw new Error("It was not refused");
}

describe("flags of a command that stops at the first word", () => {
  test.each([
    [["ls", "-la"], { words: ["ls", "-la"] }],
    [["-t", "ls", "-t", "--", "-q"], { tty: true, words: ["ls", "-t", "--", "-q"] }],
    [["--", "-t"], { words: ["-t"] }],
    [["--", "--", "x"], { words: ["--", "x"] }],
    [["-tq", "x"], { tty: true, quiet: true, words: ["x"] }],
    [["-teA=1", "-e", "B", "--env=C=x=y", "--env", "D", "x"], {
      tty: true,
      env: ["A=1", "B", "C=x=y", "D"],
      words: ["x"],
    }],
    [["-C", "/a", "x"], { workdir: "/a", words: ["x"] }],
    [["--cwd", "/a", "x"], { workdir: "/a", words: ["x"] }],
    [["-w/a", "x"], { workdir: "/a", words: ["x"] }],
    [["-w", "-dash", "x"], { workdir: "-dash", words: ["x"] }],
    [["--workdir="], { workdir: "" }],
    [["--tty", "true"], { tty: true, words: ["true"] }],
    [["-", "x"], { words: ["-", "x"] }],
    [["-tt"], { tty: true }],
    [["", "-t"], { words: ["", "-t"] }],
    [[], {}],
  ])("%j", (args, expected) => {
    expect(read(args)).toEqual({ ...NONE, ...expected });
  });

  test.each([
    [["-x", "y"], "unknown option -x"],
    [["-tx", "y"], "unknown option -x"],
    [["--nope=1"], "unknown option --nope"],
    [["--__proto__"], "unknown option --__proto__"],
    [["-e"], "option -e needs a value: -e K=V"],
    [["--cwd"], "option --cwd needs a value: --cwd DIR"],
    [["--tty=yes"], "option --tty takes no value"],
    [["-w", "/a", "--cwd", "/b"], "option --workdir was given more than once"],
  ])("%j is refused", (args, message) => {
    expect(refusal(args)).toBe(message);
  });
});

describe("flags of any other command", () => {
  test("may stand behind its words", () => {
    expect(read(["a", "--tty", "b", "--env", "A=1", "--", "--quiet"], false))
      .toEqual({ ...NONE, tty: true, env: ["A=1"], words: ["a", "b", "--quiet"] });
  });

  test.each([
    [["--nope"], "unknown option --nope"],
    [["--workdir", "/a", "--workdir", "/b"], "option --workdir was given more than once"],
    [["--workdir"], "option --workdir needs a value: --workdir DIR"],
  ])("%j is refused", (args, message) => {
    expect(refusal(args, false)).toBe(message);
  });
});
