import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "@std/path";
import { sandboxSupport } from "../../lib/sandbox/sandboxed_start.ts";
import { findCodex } from "../support/real_codex.ts";
import { hasPoorMachine, onPoorMachine } from "../support/poor_machine.ts";
import { runToEnd, type ServerProcess, spawnServer } from "../support/target_process.ts";
import { ROOT, RUN, run } from "./run_program.ts";

const DENIED =
  "exec-server: the sandbox may have denied it something; see --sandbox, --network and --writable\n";
const codex = await findCodex("0.169.0");
if (!codex.found) console.warn(`sandbox: not run on a real server: ${codex.reason}`);
const { tier, failing } = await sandboxSupport();
const holdsFiles = tier === "user namespaces" || tier === "capabilities";
if (!holdsFiles) console.warn(`sandbox: not run: ${failing}`);

const hasPoor = await hasPoorMachine();

type Place = "here" | "on ours" | "on a real server";
const PLACES: readonly Place[] = codex.found ? ["here", "on ours", "on a real server"] : ["here", "on ours"];

let servers: Partial<Record<Place, ServerProcess>>;
/** Not below /tmp, which may be written in every sandbox that lets anything be. */
let home: string;

beforeAll(async () => {
  home = realpathSync(mkdtempSync(join(homedir(), ".exec-server-sandbox-")));
  const serve = [process.execPath, "--no-env-file", join(ROOT, "main.ts"), "serve"];
  servers = { "on ours": await spawnServer(serve) };
  if (codex.found) {
    servers["on a real server"] = await spawnServer([
      codex.binary,
      "exec-server",
      "--listen",
      "ws://127.0.0.1:0",
    ]);
  }
});

afterAll(async () => {
  for (const server of Object.values(servers)) await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

function workspace(): string {
  const path = mkdtempSync(join(home, "w-"));
  mkdirSync(join(path, "work"));
  mkdirSync(join(path, "more"));
  return path;
}

describe.each(holdsFiles ? PLACES : [])("run --sandbox %s", (place) => {
  const runThere = (path: string, flags: readonly string[], script: string) => {
    const there = place === "here" ? [] : ["-s", servers[place]!.url];
    return run([...there, ...flags, "-w", join(path, "work"), "--", "sh", "-c", script], { cwd: path });
  };

  test("read-only lets nothing be written, and says so in one line", async () => {
    const path = workspace();
    const { status, stdout, stderr } = await runThere(path, ["--sandbox", "read-only"], "echo x > file");
    expect([status === 0, stdout, existsSync(join(path, "work/file"))]).toEqual([false, "", false]);
    expect(stderr).toMatch(/Read-only file system/);
    expect(stderr).toEndWith(DENIED);
    const quiet = await runThere(path, ["-q", "--sandbox", "read-only"], "echo x > file");
    expect(quiet.stderr).not.toContain("exec-server:");
  });

  test("workspace-write lets the directory be written and nothing beside it, and --writable more", async () => {
    const path = workspace();
    const script = "echo x > in; echo x > ../more/beside; echo x > ../out; mkdir .git; exit 4";
    const narrow = await runThere(path, ["--sandbox", "workspace-write"], script);
    expect(narrow.status).toBe(4);
    expect(["work/in", "more/beside", "out", "work/.git"].map((name) => existsSync(join(path, name))))
      .toEqual([
        true,
        false,
        false,
        false,
      ]);
    await runThere(path, ["--sandbox", "workspace-write", "--writable", "../more"], script);
    expect(["more/beside", "out"].map((name) => existsSync(join(path, name)))).toEqual([true, false]);
  });

  test("the network is off unless it is asked for, and can be off alone", async () => {
    const path = workspace();
    const open =
      "bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>&1 | grep -o 'not permitted\\|refused' | head -n 1";
    const words = async (...flags: string[]) => (await runThere(path, flags, open)).stdout.trim();
    expect(await words()).toBe("refused");
    expect(await words("--sandbox", "read-only")).toBe("not permitted");
    expect(await words("--sandbox", "read-only", "--network", "on")).toBe("refused");
    expect(await words("--network", "off")).toBe("not permitted");
    const { status } = await runThere(path, ["--network", "off"], "echo x > file");
    expect([status, existsSync(join(path, "work/file"))]).toEqual([0, true]);
  });

  test("takes a profile from a file", async () => {
    const path = workspace();
    const entries = [
      { path: { type: "special", value: { kind: "root" } }, access: "read" },
      { path: { type: "path", path: `file://${path}/more` }, access: "write" },
      { path: { type: "path", path: `file://${path}/secret` }, access: "deny" },
    ];
    mkdirSync(join(path, "secret"));
    const profile = { type: "managed", file_system: { type: "restricted", entries }, network: "restricted" };
    writeFileSync(join(path, "profile.json"), JSON.stringify(profile));
    const script = "echo x > in; ls ../secret; echo x > ../more/file; exit 0";
    const { status, stderr } = await runThere(path, ["--sandbox", "./profile.json"], script);
    expect([status, existsSync(join(path, "work/in")), existsSync(join(path, "more/file"))]).toEqual([
      0,
      false,
      true,
    ]);
    expect(stderr).toMatch(/secret/);
  });
});

describe("run --sandbox", () => {
  test("what makes no sense is refused with 125 before anything runs", async () => {
    const path = workspace();
    writeFileSync(join(path, "broken.json"), "{");
    writeFileSync(join(path, "wrong.json"), '{"type":"managed"}');
    writeFileSync(join(path, "open.json"), '{"type":"disabled"}');
    const cases: [string[], string][] = [
      [["--sandbox", "none"], "takes read-only, workspace-write or a file"],
      [["--sandbox", "./missing.json"], "cannot read the sandbox profile ./missing.json"],
      [["--sandbox", "broken.json"], "the sandbox profile broken.json makes no sense"],
      [["--sandbox", "wrong.json"], "makes no sense: missing field `file_system`"],
      [["--sandbox", "open.json", "--network", "off"], "open.json restricts nothing"],
      [["--network", "maybe"], "--network takes on or off"],
      [["--writable", "x"], "give --sandbox too"],
      [["--sandbox", "workspace-write", "--writable", ""], "--writable needs a directory"],
    ];
    for (const [flags, words] of cases) {
      const { status, stderr } = await run([...flags, "--", "touch", join(path, "ran")], { cwd: path });
      expect([flags, status, stderr]).toEqual([flags, 125, expect.stringContaining(words)]);
    }
    expect(existsSync(join(path, "ran"))).toBe(false);
    expect((await run(["--sandbox", "open.json", "--", "true"], { cwd: path })).status).toBe(0);
  });

  test("what is most likely a slip is refused with a hint, before anything runs", async () => {
    const path = workspace();
    const flags = ["--sandbox", "workspace-write"];
    const touch = ["--", "touch", join(path, "ran")];
    const missing = await run([...flags, "--writable", "mistyped", "-w", path, ...touch]);
    expect(missing.status).toBe(125);
    expect(missing.stderr).toContain(`there is no ${join(path, "mistyped")}`);
    expect(missing.stderr).toContain("correct --writable");
    for (const root of ["/", "//", "/tmp/.."]) {
      const { status, stderr } = await run([...flags, "-w", root, ...touch]);
      expect([root, status, stderr]).toEqual([root, 125, expect.stringContaining("-w DIR")]);
    }
    expect(existsSync(join(path, "ran"))).toBe(false);
  });

  test.if(holdsFiles)("who means the whole machine can say so", async () => {
    const path = workspace();
    const flags = ["--sandbox", "workspace-write", "-w", "/", "--writable", "/"];
    expect((await run([...flags, "--", "touch", join(path, "ran")])).status).toBe(0);
    expect(existsSync(join(path, "ran"))).toBe(true);
    expect((await run(["--sandbox", "read-only", "-w", "/", "--", "true"])).status).toBe(0);
  });

  test.if(holdsFiles)("its events tell a denial, and a missing program is missing as ever", async () => {
    const path = workspace();
    const flags = ["--json", "--sandbox", "read-only", "--"];
    const { stdout } = await run([...flags, "touch", "x"], { cwd: path });
    const events = stdout.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.find(({ event }) => event === "exit")).toMatchObject({ code: 1, sandboxDenied: true });
    expect((await run(["--sandbox", "read-only", "--", "no-such-program"], { cwd: path })).status).toBe(127);
  });

  test.if(hasPoor)(
    "where files cannot be confined it is 125 and nothing runs; the network alone still can",
    async () => {
      const path = workspace();
      const flags = ["--sandbox", "workspace-write", "-w", path, "--", "touch", join(path, "ran")];
      const refused = await runToEnd(onPoorMachine([...RUN, ...flags]));
      expect(refused).toMatchObject({
        code: 125,
        stderr: expect.stringMatching(
          /^exec-server: cannot start "touch": sandbox intent cannot be enforced on this executor: /,
        ),
      });
      expect(existsSync(join(path, "ran"))).toBe(false);
      expect((await runToEnd(onPoorMachine([...RUN, "--network", "off", "--", "true"]))).code).toBe(0);
      const doctor = await runToEnd(onPoorMachine([...RUN.slice(0, -1), "doctor"]));
      expect(doctor.stdout).toMatch(
        /^warn {2}sandbox: holds network only \(seccomp only\): unshare: .*\. Hint: /m,
      );
    },
  );
});
