import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { userInfo } from "node:os";
import { environmentInfo } from "../../lib/server/environment_info.ts";

const NAMES = ["HOME", "TMPDIR", "SHELL"] as const;
let before: (string | undefined)[];

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

beforeEach(() => void (before = NAMES.map((name) => process.env[name])));
afterEach(() => NAMES.forEach((name, index) => set(name, before[index])));

describe("environmentInfo()", () => {
  test("names a shell that is there, and $SHELL has no say in it", () => {
    const { shell } = environmentInfo();
    set("SHELL", "/usr/bin/fish");
    expect(environmentInfo().shell).toEqual(shell);
    expect(["bash", "zsh", "sh"]).toContain(shell.name);
    expect(shell.path).toEndWith(`/${shell.name}`);
  });

  test("is the same build every time", () => {
    const { providerId, platformOs } = environmentInfo();
    expect(providerId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(environmentInfo().providerId).toBe(providerId);
    expect(platformOs).toBe("linux");
  });

  test("the home is $HOME where that is absolute, the account's where there is none, nothing where it is relative", () => {
    set("HOME", "/tmp/a b%c#é");
    expect(environmentInfo().userHomeDir).toBe("file:///tmp/a%20b%25c%23%C3%A9");
    for (const relative of ["here", "./here", ""]) {
      set("HOME", relative);
      expect(environmentInfo()).not.toHaveProperty("userHomeDir");
    }
    set("HOME", undefined);
    expect(environmentInfo().userHomeDir).toBe(`file://${userInfo().homedir}`);
  });

  test("the place for temporary files is TMPDIR, made absolute, and /tmp without", () => {
    set("TMPDIR", "/no/such/place");
    expect(environmentInfo()).toMatchObject({
      temporaryDirectories: ["file:///no/such/place"],
      tempDir: "file:///no/such/place",
    });
    set("TMPDIR", "here");
    const { cwd, tempDir } = environmentInfo();
    expect(tempDir).toBe(`${cwd}/here`);
    for (const none of ["", undefined]) {
      set("TMPDIR", none);
      expect(environmentInfo()).toMatchObject({ temporaryDirectories: [], tempDir: "file:///tmp" });
    }
  });
});
