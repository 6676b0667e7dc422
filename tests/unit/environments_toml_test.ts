import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { inspect } from "node:util";
import { DefaultProvider } from "../../lib/environment/default_provider.ts";
import { EnvironmentError } from "../../lib/environment/environment_error.ts";
import { parseEnvironmentsToml } from "../../lib/environment/environments_toml.ts";

const PATH = "/c/environments.toml";
const parse = (text: string, directory: string | null = "/c") =>
  parseEnvironmentsToml(text, { path: PATH, directory });

function refusal(text: string, directory?: null): string {
  try {
    parse(text, directory);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === "protocol") return error.detail;
    throw error;
  }
  return "no error";
}

const entry = (...lines: string[]) => ["[[environments]]", 'id = "a"', ...lines].join("\n");
const URL_LINE = 'url = "ws://127.0.0.1:9"';

describe("environments.toml", () => {
  test("reads servers and programs in their order", () => {
    const text = `default = " b "
${
      entry(
        'url = " wss://x:1/y "',
        'auth_bearer_token = "t"',
        "connect_timeout_sec = 1.5",
        "skills = { required = [1] }",
      )
    }
[[environments]]
id = "b"
program = " ssh "
args = ["box"]
env = { K = "v" }
cwd = "sub"
initialize_timeout_sec = 3
`;
    const { environments, ...rest } = parse(text);
    expect(rest).toEqual({ default: "b", includeLocal: true });
    expect(environments).toEqual([
      ["a", { kind: "url", url: "wss://x:1/y", token: expect.anything(), connectTimeoutMs: 1500 }],
      ["b", {
        kind: "program",
        program: "ssh",
        args: ["box"],
        env: { K: "v" },
        cwd: "/c/sub",
        initializeTimeoutMs: 3000,
      }],
    ]);
  });

  test("never shows a token", () => {
    const snapshot = parse(entry(URL_LINE, 'auth_bearer_token = "sesame"'));
    const [, spec] = snapshot.environments[0]!;
    expect(spec.kind === "url" ? spec.token?.reveal() : "").toBe("sesame");
    expect(
      inspect(snapshot, { depth: null }) + JSON.stringify(snapshot) + `${spec.kind === "url" && spec.token}`,
    )
      .not.toContain("sesame");
  });

  test.each<[string, string, string | null]>([
    ["without a word", "", "local"],
    ["without this machine", "include_local = false", null],
    ["as none", 'default = " NONE "', null],
    ["as local", 'default = "local"', "local"],
  ])("has a default %s", (_, text, id) => expect(parse(text).default).toBe(id));

  // Each sentence was seen from the real program, but for the places in parentheses.
  test.each([
    ["default environment id cannot be empty", 'default = "  "'],
    ["default environment `zz` is not configured", 'default = "zz"'],
    ["default environment `local` is not configured", 'default = "local"\ninclude_local = false'],
    ["environment id cannot be empty", '[[environments]]\nid = " "\nargs = []'],
    ["environment id ` b` must not contain surrounding whitespace", '[[environments]]\nid = " b"'],
    ["environment id `Local` is reserved", '[[environments]]\nid = "Local"'],
    ["environment id `none` is reserved", '[[environments]]\nid = "none"'],
    [
      "environment id `a b` must contain only ASCII letters, numbers, '-' or '_'",
      '[[environments]]\nid = "a b"',
    ],
    [
      `environment id \`${"é".repeat(65)}\` cannot be longer than 64 characters`,
      `[[environments]]\nid = "${"é".repeat(65)}"`,
    ],
    ["environment `a` args, env, and cwd require program", entry(URL_LINE, "args = []")],
    ["environment `a` args, env, and cwd require program", entry("env = {}", "connect_timeout_sec = 1")],
    ["environment `a` args, env, and cwd require program", entry('cwd = "/"', 'auth_bearer_token = "t"')],
    [
      "environment `a` auth_bearer_token requires url",
      entry('auth_bearer_token = "t"', "connect_timeout_sec = 1"),
    ],
    ["environment `a` connect_timeout_sec requires url", entry('program = "x"', "connect_timeout_sec = 1")],
    ["environment `a` must set exactly one of url or program", entry(URL_LINE, 'program = "x"')],
    ["environment `a` must set exactly one of url or program", entry()],
    ["environment url cannot be empty", entry('url = " "')],
    ["environment url `http://x` must use ws:// or wss://", entry('url = "http://x"')],
    ["environment url `WS://x` must use ws:// or wss://", entry('url = "WS://x"')],
    ["environment url `ws://` is invalid: HTTP format error: empty string", entry('url = "ws://"')],
    [
      "environment url `ws://x y` is invalid: HTTP format error: invalid uri character",
      entry('url = "ws://x y"'),
    ],
    [
      "exec-server WebSocket headers require wss:// or a loopback destination",
      entry('url = "ws://192.0.2.7:1"', 'auth_bearer_token = "t"'),
    ],
    [
      "invalid value for exec-server WebSocket header `authorization`",
      entry(URL_LINE, 'auth_bearer_token = "a\\nb"'),
    ],
    ["environment `a` program cannot be empty", entry('program = " "')],
    ["environment id `a` is duplicated", `default = "zz"\n${entry(URL_LINE)}\n${entry(URL_LINE)}`],
  ])("says: %s", (message, text) => expect(refusal(text)).toBe(message));

  test("says that a relative cwd needs a directory to be relative to", () => {
    expect(refusal(entry('program = "x"', 'cwd = "sub"'), null)).toBe("environment `a` cwd must be absolute");
    expect(refusal(entry('program = "x"', 'cwd = "/sub"'), null)).toBe("no error");
  });

  test.each([
    [
      "unknown field `foo`, expected one of `default`, `include_local`, `environments` (in `foo`, line 2)",
      "\nfoo = 1",
    ],
    [
      "unknown field `foo`, expected one of `id`, `skills`, `url`, `auth_bearer_token`",
      `${entry(URL_LINE)}\nfoo = 1`,
    ],
    [
      "unknown field `foo`, expected `required` (in `environments[0].skills.foo`, line 3)",
      entry("skills = { foo = 1 }"),
    ],
    [
      "missing field `id` (in `environments[1]`, line 5)",
      `${entry(URL_LINE)}\n\n[[environments]]\nurl = "ws://x"`,
    ],
    ["invalid type: integer, expected a string (in `environments[0].url`, line 3)", entry("url = 3")],
    ["invalid type: string, expected a sequence (in `environments[0].args`, line 3)", entry('args = "x"')],
    [
      "invalid type: integer, expected a string (in `environments[0].args[1]`, line 3)",
      entry('args = [\n"x",\n4]'),
    ],
    ["invalid type: integer, expected a string (in `environments[0].env.K`, line 4)", entry("", "env.K = 1")],
    ["invalid type: integer, expected a boolean (in `include_local`, line 1)", "include_local = 1"],
    ["invalid type: integer, expected a sequence (in `environments`, line 1)", "environments = 3"],
    [
      "cannot convert float seconds to Duration: value is negative (in `environments[0].connect_timeout_sec`, line 4)",
      entry(URL_LINE, "connect_timeout_sec = -1"),
    ],
    [
      "cannot convert float seconds to Duration: value is either too big or NaN",
      entry(URL_LINE, "connect_timeout_sec = inf"),
    ],
    ["invalid value (line 2, column 5)", "\na = = 2"],
  ])("cannot be parsed: %s", (message, text) => {
    expect(refusal(text)).toStartWith(`failed to parse environment config \`${PATH}\`: ${message}`);
    expect(refusal(text)).not.toContain("\n");
  });

  test("a complaint about the text shows nothing of the text, which may hold a token", () => {
    expect(refusal(entry('auth_bearer_token = "sesame', "x"))).toMatch(/line \d+, column \d+/);
    expect(refusal(entry('auth_bearer_token = "sesame', "x"))).not.toContain("sesame");
    expect(refusal(entry("auth_bearer_token = 77077"))).not.toContain("77077");
  });

  test("whatever it holds, it is read or refused in one line, without the words of a token", () => {
    const value = fc.constantFrom(
      '"sesame"',
      "3",
      "-1",
      "true",
      "[]",
      '["x"]',
      "{}",
      '{ a = "b" }',
      "nan",
      '"ws://x"',
      '"',
      "",
    );
    const key = fc.constantFrom(
      ...["default", "include_local", "id", "url", "program", "args", "env", "cwd", "skills", "__proto__"],
      ...["auth_bearer_token", "connect_timeout_sec", "environments", "env.x", "= ="],
    );
    const line = fc.oneof(
      fc.constantFrom(
        "[[environments]]",
        "[environments.env]",
        "# sesame",
        'id = "a"',
        'url = "ws://127.0.0.1:9"',
      ),
      fc.tuple(key, value).map(([name, written]) => `${name} = ${written}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        // The one place where it may be told what was written, because it is no secret.
        if (lines.some((each) => /^(?:default|id|url) = "sesame/.test(each))) return;
        const message = refusal(lines.join("\n"));
        expect(message).not.toMatch(/\n|sesame/);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is found in CODEX_HOME, and says why it cannot be read", async () => {
    const home = await mkdtemp(join(tmpdir(), "exec-server-toml-"));
    try {
      const snapshot = () => new DefaultProvider({ CODEX_HOME: home }).snapshot();
      expect((await snapshot()).environments).toEqual([]);
      const path = join(home, "environments.toml");
      await Bun.write(path, entry('program = "x"', 'cwd = "sub"'));
      expect((await snapshot()).environments).toEqual([[
        "a",
        expect.objectContaining({ cwd: join(home, "sub") }),
      ]]);
      await Bun.write(path, new Uint8Array([0x61, 0xff]));
      await expect(snapshot()).rejects.toThrow(
        `failed to read environment config \`${path}\`: stream did not contain valid UTF-8`,
      );
      await rm(path);
      await Bun.write(join(path, "x"), "");
      await expect(snapshot()).rejects.toThrow(
        `failed to read environment config \`${path}\`: Is a directory (os error 21)`,
      );
      await expect(new DefaultProvider({ CODEX_HOME: join(path, "x") }).snapshot()).rejects
        .toThrow(
          `failed to inspect environment config \`${
            join(path, "x", "environments.toml")
          }\`: Not a directory (os error 20)`,
        );
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
