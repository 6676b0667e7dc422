import { describe, expect, test } from "bun:test";
import { type Config, ConfigError, parseConfig } from "../../cli/place/config_file.ts";
import { configPath } from "../../cli/place/config_path.ts";

const PATH = "/c/exec-server/config.toml";
const ENV = { HOME: "/h" };
const parse = (text: string): Config => parseConfig(text, PATH, ENV);

function refusal(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no error";
}

const host = (...lines: string[]) => ["[hosts.box]", ...lines].join("\n");

describe("config.toml", () => {
  test("is looked for in XDG_CONFIG_HOME, else in the home directory", () => {
    expect(configPath({ HOME: "/h", XDG_CONFIG_HOME: "/x" })).toBe("/x/exec-server/config.toml");
    expect(configPath({ HOME: "/h" })).toBe("/h/.config/exec-server/config.toml");
    expect(configPath({ HOME: "/h", XDG_CONFIG_HOME: "relative" })).toBe(
      "/h/.config/exec-server/config.toml",
    );
  });

  test("names hosts by URL and by program", () => {
    const { default: name, hosts } = parse(`default = " box "
[hosts.box]
url = " ws://192.0.2.7:7777 "
token_file = "~/token"
[hosts.near]
url = "unix:/run/x.sock"
token_file = "token"
[hosts.far]
program = "ssh"
args = ["box", "exec-server", "serve", "--listen", "stdio"]
cwd = "sub"
env = { K = "v" }
`);
    expect(name).toBe("box");
    expect([...hosts]).toEqual([
      ["box", { kind: "url", url: "ws://192.0.2.7:7777", tokenFile: "/h/token" }],
      ["near", { kind: "url", url: "unix:/run/x.sock", tokenFile: "/c/exec-server/token" }],
      ["far", {
        kind: "program",
        program: "ssh",
        args: ["box", "exec-server", "serve", "--listen", "stdio"],
        env: { K: "v" },
        cwd: "/c/exec-server/sub",
      }],
    ]);
  });

  test("may be empty, and its default may be this machine or nowhere", () => {
    expect(parse("")).toEqual({ default: null, hosts: new Map() });
    expect(parse('default = "local"').default).toBe("local");
    expect(parse('default = "None"').default).toBe("none");
  });

  test.each([
    ["unknown field `defualt`, expected one of `default`, `hosts` (in `defualt`, line 1)", 'defualt = "x"'],
    ["there is no host `x` (in `default`, line 1)", 'default = "x"'],
    ["invalid type: integer, expected a string (in `default`, line 2)", "# why\ndefault = 3"],
    ["invalid type: string, expected a table of hosts (in `hosts`, line 1)", 'hosts = "x"'],
    ["invalid type: string, expected a table (in `hosts.box`, line 2)", '[hosts]\nbox = "x"'],
    ["host name `local` is reserved (in `hosts.local`, line 1)", '[hosts.local]\nurl = "ws://x"'],
    ["host name `a b` must contain only ASCII letters", '[hosts."a b"]\nurl = "ws://x"'],
    ["host name `` is empty (in `hosts.`, line 1)", '[hosts.""]\nurl = "ws://x"'],
    ["a host needs either a url or a program (in `hosts.box`, line 1)", host()],
    [
      "a host needs either a url or a program (in `hosts.box`, line 1)",
      host('url = "ws://x"', 'program = "x"'),
    ],
    [
      "unknown field `token`, expected one of `url`, `token_file`",
      host('url = "ws://x"', 'token = "sesame"'),
    ],
    [
      "args goes with program, not with url (in `hosts.box.args`, line 3)",
      host('url = "ws://x"', "args = []"),
    ],
    [
      "token_file goes with url, not with program (in `hosts.box.token_file`, line 3)",
      host('program = "x"', 'token_file = "x"'),
    ],
    ["a program needs a name (in `hosts.box.program`, line 2)", host('program = " "')],
    [
      "a server's URL begins with ws://, wss:// or unix:/ (in `hosts.box.url`, line 2)",
      host('url = "http://x"'),
    ],
    ["that is not a URL (in `hosts.box.url`, line 2)", host('url = "ws://"')],
    ["a URL takes no user name and no password", host('url = "ws://me:sesame@x"')],
    ["invalid value (line 3, column 7)", host("", "env = = 3")],
  ])("is refused with its place: %s", (message, text) => {
    expect(refusal(text)).toStartWith(`${PATH}: ${message}`);
    expect(refusal(text)).not.toContain("\n");
    expect(refusal(text)).not.toContain("sesame");
  });
});
