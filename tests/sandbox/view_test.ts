import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import type { MountRule } from "../../lib/sandbox/rules.ts";
import { mechanism, rulesOf, shell, workspace } from "./confined.ts";

const platform: MountRule[] = ["/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64"]
  .filter((path) => existsSync(path) && readlink(path) === null)
  .map((path) => ({ kind: "read", path }));
const links = ["/bin", "/sbin", "/lib", "/lib64"].flatMap((path) => {
  const target = readlink(path);
  return target === null ? [] : [{ path, target }];
});

describe.skipIf(mechanism === null)("the view of a sandbox", () => {
  test("lets the workspace be written, and nothing around it", async () => {
    using place = workspace();
    const { path, bytes } = place;
    mkdirSync(`${path}/work`);
    writeFileSync(`${path}/outside`, "before");
    const said = await shell(
      rulesOf([{ kind: "write", path: `${bytes}/work` }]),
      `echo in > work/a; cat work/a; echo x > outside; touch outside; chmod 777 outside; touch new; mv outside work; ln outside work/link`,
      { cwd: path },
    );
    expect(said.split("\n")[0]).toBe("in");
    expect(said.match(/Read-only file system/g)).toHaveLength(5);
    expect(said).toContain("cannot remove 'outside'"); // it may be copied, but not moved
    expect(said).toContain("failed to create hard link");
    expect(readdirSync(path).toSorted()).toEqual(["outside", "work"]);
    expect(readFileSync(`${path}/outside`, "utf8")).toBe("before");
  });

  test("keeps a protected directory as it is", async () => {
    using place = workspace();
    const { path, bytes } = place;
    mkdirSync(`${path}/.git`);
    writeFileSync(`${path}/.git/config`, "before");
    const rules = rulesOf([{ kind: "write", path: bytes }, { kind: "read", path: `${bytes}/.git` }]);
    const said = await shell(
      rules,
      `cd ${path}; cat .git/config; echo; echo x > .git/config; mv .git moved; rm -r .git`,
    );
    expect(said).toStartWith("before\n");
    expect(said).toContain(".git/config: Read-only file system");
    expect(said).toContain("mv: cannot move '.git'");
    expect(readFileSync(`${path}/.git/config`, "utf8")).toBe("before");
  });

  test("shows a missing protected name as an empty directory, of which nothing is left on the host", async () => {
    using place = workspace();
    const { path, bytes } = place;
    const rules = rulesOf([{ kind: "write", path: bytes }, { kind: "absent", path: `${bytes}/.codex` }]);
    const said = await shell(
      rules,
      `cd ${path}; stat -c '%A %s' .codex; ls -A .codex; mkdir .codex/a; rmdir .codex; mv .codex b; chmod 777 .codex`,
    );
    expect(said.split("\n")[0]).toBe("dr-xr-xr-x 40");
    expect(said.split("\n")).toHaveLength(5);
    expect(readdirSync(path)).toEqual([]);
  });

  test("hides what is denied, and shows what is open again inside of it", async () => {
    using place = workspace();
    const { path, bytes } = place;
    mkdirSync(`${path}/secret/open/deep`, { recursive: true });
    writeFileSync(`${path}/secret/hidden`, "HIDDEN");
    writeFileSync(`${path}/secret/open/shown`, "SHOWN");
    mkdirSync(`${path}/closed`);
    writeFileSync(`${path}/key`, "KEY");
    const rules = rulesOf([
      { kind: "write", path: bytes },
      { kind: "deny-directory", path: `${bytes}/secret`, reopened: [`${bytes}/secret/open`] },
      { kind: "read", path: `${bytes}/secret/open` },
      { kind: "write", path: `${bytes}/secret/open/deep` },
      { kind: "deny-directory", path: `${bytes}/closed`, reopened: [] },
      { kind: "deny-file", path: `${bytes}/key` },
    ]);
    const said = await shell(
      rules,
      `cd ${path}; ls secret; cat secret/hidden; cat secret/open/shown; echo; touch secret/open/a; touch secret/open/deep/b
       ls closed; rm -r closed; cat key; chmod 600 key; rm key; mv key other; stat -c '%A %s' key closed secret`,
    );
    expect(said).toContain("ls: cannot open directory 'secret': Permission denied");
    expect(said).toContain("\nSHOWN\n");
    expect(said).not.toContain("HIDDEN");
    expect(said).not.toContain("KEY");
    expect(said).toContain("'secret/open/a': Read-only file system");
    expect(said).toContain("ls: cannot open directory 'closed': Permission denied");
    expect(said).toContain("cat: key: Permission denied");
    expect(said).toEndWith("---------- 0\nd--------- 40\nd--x--x--x 60");
    expect(existsSync(`${path}/secret/open/deep/b`)).toBe(true);
    expect(readFileSync(`${path}/key`, "utf8")).toBe("KEY");
  });

  test("is next to nothing when it is minimal", async () => {
    using place = workspace();
    const { path, bytes } = place;
    writeFileSync(`${path}/a`, "A");
    using other = workspace();
    const rules = rulesOf([...platform, { kind: "write", path: bytes }], { view: "minimal", links });
    const said = await shell(
      rules,
      `cat a; echo; echo b > b; ls -A / ${tmpdir()}; ls -d ${other.path} /home /proc/1/root/home; mkdir /x; awk '$2 == "/"' /proc/self/mounts`,
      { cwd: path },
    );
    expect(said).toStartWith("A\n");
    const [top] = bytePathOf(tmpdir()).slice(1).split("/");
    const shown = [...platform.map((rule) => rule.path), ...links.map((link) => link.path), "/dev", "/proc"];
    const names = new Set([...shown.map((name) => name.slice(1)), top!]);
    expect(said).toContain(`\n/:\n${[...names].toSorted().join("\n")}\n`);
    expect(said).toContain(`cannot access '${other.path}': No such file or directory`);
    expect(said).toContain("cannot access '/home': No such file or directory");
    expect(said).toContain("mkdir: cannot create directory '/x': Read-only file system");
    expect(said.match(/^.* \/ .*$/gm)).toEqual([expect.stringMatching(/^tmpfs \/ tmpfs ro,/)]);
    expect(existsSync(`${path}/b`)).toBe(true);
  });

  test("has devices that work and cannot be changed, and none of the disks", async () => {
    const said = await shell(
      rulesOf([]),
      `echo gone > /dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 1 /dev/urandom | wc -c; echo out | cat /dev/stdin
       chmod 666 /dev/null 2>/dev/null || echo kept; touch /dev/x 2>/dev/null || echo closed
       find /dev -type b 2>/dev/null | wc -l; touch /dev/shm/a && echo shared; cat /dev/.masks/file`,
    );
    const [zeros, ...rest] = said.split("\n");
    expect(zeros!.trim()).toBe("00 00 00");
    expect(rest).toEqual([
      "1",
      "out",
      "kept",
      "closed",
      "0",
      "shared",
      "cat: /dev/.masks/file: Permission denied",
    ]);
  });

  test("can make a place in the shared memory writable", async () => {
    if (!existsSync("/dev/shm")) return;
    const shm = `/dev/shm/sandbox-test-${process.pid}`;
    mkdirSync(shm);
    try {
      await shell(
        rulesOf([{ kind: "write", path: shm }]),
        `echo a > ${shm}/a; echo b > /dev/shm/b-${process.pid}`,
      );
      expect(readFileSync(`${shm}/a`, "utf8")).toBe("a\n");
      expect(existsSync(`/dev/shm/b-${process.pid}`)).toBe(false);
    } finally {
      await Bun.$`rm -r ${shm}`;
    }
  });

  test("does not follow a symlink that took the place of a rule's path", async () => {
    using place = workspace();
    const { path, bytes } = place;
    mkdirSync(`${path}/real`);
    symlinkSync(`${path}/real`, `${path}/link`);
    const started = shell(rulesOf([{ kind: "write", path: `${bytes}/link` }]), "true");
    await expect(started).rejects.toMatchObject({ kind: "setup", errno: "ELOOP" });
  });

  test("carries paths that are no UTF-8", async () => {
    using place = workspace();
    const { path, bytes } = place;
    const name = Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]);
    mkdirSync(name);
    const rules = rulesOf([{ kind: "write", path: `${bytes}/\xff\xfe` }]);
    await shell(rules, "echo a > a; echo b > ../b", { cwd: name });
    expect(readdirSync(name)).toEqual(["a"]);
    expect(existsSync(`${path}/b`)).toBe(false);
  });

  test("makes everything writable but what is narrowed, if that is asked for", async () => {
    using place = workspace();
    const { path, bytes } = place;
    mkdirSync(`${path}/kept`);
    const rules = rulesOf([{ kind: "write", path: "/" }, { kind: "read", path: `${bytes}/kept` }]);
    const said = await shell(rules, `touch ${path}/a ${path}/kept/b`);
    expect(said).toContain("kept/b': Read-only file system");
    expect(readdirSync(path).toSorted()).toEqual(["a", "kept"]);
  });

  test("leaves modes as the umask wants them", async () => {
    using place = workspace();
    const { path, bytes } = place;
    chmodSync(path, 0o755);
    const rules = rulesOf([{ kind: "write", path: bytes }]);
    const outside = await new Response(Bun.spawn(["sh", "-c", "umask"]).stdout).text();
    expect(Number.parseInt(await shell(rules, "umask"), 8)).toBe(Number.parseInt(outside, 8));
  });
});

function readlink(path: string): string | null {
  try {
    return new TextDecoder().decode(Bun.spawnSync(["readlink", path]).stdout).trim() || null;
  } catch {
    return null;
  }
}
