import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Confinement } from "../../lib/process/local/confinement.ts";
import { child } from "../../lib/sandbox/byte_path.ts";
import { sandboxedStart } from "../../lib/sandbox/sandboxed_start.ts";
import type { MountRule } from "../../lib/sandbox/rules.ts";
import { localBackend, outputOf, shell } from "../support/local_start.ts";
import { mechanism, rulesOf, sandbox, spawnConfined, workspace } from "./confined.ts";

type Place = ReturnType<typeof workspace>;

const under = (place: Place, kind: "read" | "write" | "absent" | "deny-file", name: string): MountRule => ({
  kind,
  path: child(place.bytes, name),
});

/** A shell that says when it runs, and does what it is told to when it is told. */
async function waiting(place: Place, then: string, ...mounts: MountRule[]) {
  const confined = await spawnConfined(rulesOf([{ kind: "write", path: place.bytes }, ...mounts]), {
    argv: ["sh", "-c", `echo runs; read go; ${then}`],
    cwd: place.path,
  });
  await confined.began;
  const output = confined.child.stdout.getReader();
  expect(Buffer.from((await output.read()).value!).toString()).toBe("runs\n");
  return Object.assign(confined, { output });
}

describe.skipIf(mechanism === null)("a program whose mask goes", () => {
  const ways: [string, (place: Place) => MountRule, (path: string) => void][] = [
    ["a name that is missing", (place) => under(place, "absent", "it"), (path) => {
      rmSync(path, { recursive: true });
    }],
    ["an empty directory", (place) => {
      mkdirSync(`${place.path}/it`);
      return under(place, "read", "it");
    }, rmdirSync],
    ["a directory", (place) => {
      mkdirSync(`${place.path}/it/more`, { recursive: true });
      return under(place, "read", "it");
    }, (path) => rmSync(path, { recursive: true })],
    ["a denied file that is saved anew", (place) => {
      writeFileSync(`${place.path}/it`, "secret");
      return under(place, "deny-file", "it");
    }, (path) => {
      writeFileSync(`${path}~`, "another secret");
      renameSync(`${path}~`, path);
    }],
    ["a denied directory", (place) => {
      mkdirSync(`${place.path}/it`);
      return { kind: "deny-directory", path: child(place.bytes, "it"), reopened: [] };
    }, (path) => rmSync(path, { recursive: true })],
  ];
  for (const [what, make, remove] of ways) {
    test(`is killed at once, with all that it started: ${what}`, async () => {
      using place = workspace();
      await using program = await waiting(place, "true", make(place));
      remove(`${place.path}/it`);
      await program.child.exited;
      expect(program.child.signalCode).toBe("SIGKILL");
      expect((await program.output.read()).done).toBe(true);
    });
  }
});

describe.skipIf(mechanism === null)("a program whose masks stay", () => {
  test("lives on when other mounts go, and other files", async () => {
    using place = workspace();
    mkdirSync(`${place.path}/other`);
    mkdirSync(`${place.path}/.git`);
    writeFileSync(`${place.path}/file`, "");
    const mounts = [
      under(place, "absent", ".codex"),
      under(place, "read", ".git"),
      under(place, "write", "other"),
    ];
    await using program = await waiting(place, "mkdir .codex; rmdir .git; echo done", ...mounts);
    rmdirSync(`${place.path}/other`);
    rmSync(`${place.path}/file`);
    program.child.stdin.write("go\n");
    await program.child.stdin.end();
    expect(Buffer.from((await program.output.read()).value!).toString()).toBe("done\n");
    await program.child.exited;
    expect([program.child.exitCode, existsSync(`${place.path}/.git`)]).toEqual([0, true]);
  });

  test("keeps them when somebody clears away what is empty", async () => {
    using place = workspace();
    await using program = await waiting(
      place,
      "mkdir .codex || echo refused",
      under(place, "absent", ".codex"),
    );
    expect(() => rmdirSync(`${place.path}/.codex`)).toThrow("ENOTEMPTY");
    await Bun.spawn(["find", place.path, "-mindepth", "1", "-empty", "-delete"]).exited;
    program.child.stdin.write("go\n");
    await program.child.stdin.end();
    expect(Buffer.from((await program.output.read()).value!).toString()).toBe("refused\n");
  });
});

describe.skipIf(mechanism === null)("a start", () => {
  /** Like one that decides, and whose disk changes right then. */
  function changing(place: Place, change: () => void) {
    let asked = 0;
    const confine = async (): Promise<Confinement> => {
      const kind = existsSync(`${place.path}/.git`) ? "read" : "absent";
      const rules = rulesOf([{ kind: "write", path: place.bytes }, under(place, kind, ".git")]);
      const confinement = await sandbox.confine(rules);
      return {
        wrap(start) {
          const wrapped = confinement.wrap(start);
          if (asked++ === 0) change();
          return wrapped;
        },
      };
    };
    return { sandboxed: { confine, isDenied: sandboxedStart(null).isDenied }, asked: () => asked };
  }

  const script = "(rm -r .git; mkdir .git && echo MADE) 2>&1; (echo x > .git) 2>&1; true";

  test("under which a protected directory goes is tried again, and protects the name", async () => {
    using place = workspace();
    await using backend = localBackend();
    mkdirSync(`${place.path}/.git/hooks`, { recursive: true });
    const { sandboxed, asked } = changing(place, () => rmSync(`${place.path}/.git`, { recursive: true }));
    const process = await backend.start(shell(script, { cwd: place.path }), sandboxed);
    expect(await outputOf(process)).not.toContain("MADE");
    expect(asked()).toBe(2);
    await process.whenClosed;
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("under which it becomes a file protects that", async () => {
    using place = workspace();
    await using backend = localBackend();
    const git = `${place.path}/.git`;
    mkdirSync(git);
    writeFileSync(`${git}~`, "theirs");
    const { sandboxed } = changing(place, () => {
      rmdirSync(git);
      renameSync(`${git}~`, git);
    });
    const process = await backend.start(shell(script, { cwd: place.path }), sandboxed);
    expect(await outputOf(process)).not.toContain("MADE");
    await process.whenClosed;
    expect(readFileSync(git, "utf8")).toBe("theirs");
  });

  test("under which it becomes a link is refused", async () => {
    using place = workspace();
    await using backend = localBackend();
    const git = `${place.path}/.git`;
    mkdirSync(git);
    const { sandboxed, asked } = changing(place, () => {
      rmdirSync(git);
      symlinkSync("/", git);
    });
    const start = Promise.resolve(backend.start(shell(script, { cwd: place.path }), sandboxed));
    await expect(start).rejects.toMatchObject({ code: "unenforceable" });
    expect(asked()).toBe(1);
  });
});
