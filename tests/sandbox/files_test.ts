import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { failure } from "../support/file_facts.ts";
import { mechanism } from "./confined.ts";
import { Grounds, viewed } from "./viewed.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const NEW = Buffer.from("new");

describe.skipIf(mechanism === null)("files as a sandbox sees them", () => {
  test("are written where that is allowed, and nowhere else", async () => {
    using grounds = new Grounds();
    using seen = await viewed([grounds.rule("write")]);
    const { files } = seen;
    const { outside } = grounds;
    const before = grounds.seenOutside;
    const mode = statSync(`${outside}/file`).mode;
    const mine = grounds.put("mine");
    for (
      const doing of [
        () => files.writeFile(`${outside}/file`, NEW),
        () => files.writeFile(`${outside}/new`, NEW),
        () => files.writeFile(`${outside}/file`, NEW, { followSymlinks: false }),
        () => files.append(`${outside}/file`, NEW),
        () => files.open(`${outside}/file`, "replace"),
        () => files.open(`${outside}/file`, "update"),
        () => files.createDirectory(`${outside}/new`, { recursive: false }),
        () => files.createDirectory(`${outside}/new/deep`, { recursive: true }),
        () => files.createDirectory(`${outside}/new`, { recursive: true, followSymlinks: false }),
        () => files.createSymlink(`${outside}/new`, "file"),
        () => files.setMode(`${outside}/file`, 0o777),
        () => files.setMode(`${outside}/file`, 0o777, { followSymlinks: false }),
        () => files.setTimes(`${outside}/file`, { modifiedAtMs: 0 }),
        () => files.remove(`${outside}/file`, { recursive: false, force: false }),
        () => files.remove(outside, { recursive: true, force: true }),
        () => files.copy(mine, `${outside}/new`, { recursive: false }),
        () => files.copy(mine, `${outside}/file`, { recursive: false }),
        () => files.rename(`${outside}/file`, `${outside}/renamed`),
      ]
    ) expect(await failure(doing)).toBe("EROFS");
    for (
      const [from, to] of [[`${outside}/file`, grounds.at("taken")], [mine, `${outside}/given`]] as const
    ) {
      expect(["EXDEV", "EROFS"]).toContain(await failure(() => files.rename(from, to)));
    }
    expect(grounds.seenOutside).toBe(before);
    expect(statSync(`${outside}/file`).mode).toBe(mode);

    await files.writeFile(grounds.at("file"), NEW);
    await files.rename(grounds.at("file"), grounds.at("renamed"));
    await files.createDirectory(grounds.at("a/b"), { recursive: true });
    await files.copy(`${outside}/file`, grounds.at("a/b/copy"), { recursive: false });
    await files.setMode(grounds.at("renamed"), 0o600);
    expect(readdirSync(grounds.work).toSorted()).toEqual(["a", "mine", "renamed"]);
    expect(text(await files.readFile(`${outside}/file`))).toBe("OUTSIDE");
  });

  test("are not changed by way of a handle that was opened to read", async () => {
    using grounds = new Grounds();
    using seen = await viewed([grounds.rule("write")]);
    const file = await seen.files.open(`${grounds.outside}/file`, "read");
    expect(await failure(() => file.setAttributes({ mode: 0o777 }))).toBe("EROFS");
    expect(await failure(() => file.setAttributes({ modifiedAtMs: 0 }))).toBe("EROFS");
    await file.close();
  });

  test("stay open when the view is closed and their directory is moved", async () => {
    using grounds = new Grounds();
    grounds.put("a/file", "before");
    const seen = await viewed([grounds.rule("write")]);
    const file = await seen.files.open(grounds.at("a/file"), "update");
    seen[Symbol.dispose]();
    renameSync(grounds.at("a"), grounds.at("b"));
    await file.write(0, Buffer.from("behind"));
    await file.close();
    expect(readFileSync(grounds.at("b/file"), "utf8")).toBe("behind");
  });

  test("keep protected names, there or not, whatever is done to them", async () => {
    using grounds = new Grounds();
    grounds.put(".git/config");
    grounds.put("secret");
    grounds.put("mine");
    mkdirSync(grounds.at("closed"));
    mkdirSync(grounds.at("other"));
    using seen = await viewed([
      grounds.rule("write"),
      grounds.rule("read", ".git"),
      grounds.rule("absent", ".codex"),
      grounds.rule("deny-file", "secret"),
      grounds.closed("closed"),
    ]);
    const { files, view } = seen;
    const before = readdirSync(grounds.work).toSorted();
    for (const name of [".git", ".codex", "secret", "closed"]) {
      const path = grounds.at(name);
      for (
        const doing of [
          () => files.rename(path, grounds.at("moved")),
          () => files.rename(grounds.at(name === "secret" ? "mine" : "other"), path),
          () => files.remove(path, { recursive: false, force: false }),
        ]
      ) expect([name, await failure(doing)]).toEqual([name, "EBUSY"]);
      const notFollowing = { recursive: false, force: false, followSymlinks: false };
      expect(await failure(() => files.remove(path, notFollowing))).toBe("EBUSY");
      expect(["EBUSY", "EROFS", "EACCES"]).toContain(
        await failure(() => files.remove(path, { recursive: true, force: true })),
      );
      expect(await failure(() => files.createDirectory(path, { recursive: false }))).toBe("EEXIST");
      expect(["EROFS", "EACCES"]).toContain(await failure(() => files.setMode(path, 0o777)));
    }
    for (const name of [".git/new", ".git/config", ".codex/new"]) {
      expect([name, await failure(() => files.writeFile(grounds.at(name), NEW))]).toEqual([name, "EROFS"]);
    }
    await expect(failure(() => files.remove(grounds.work, { recursive: true, force: true }))).resolves
      .toMatch(
        /EBUSY|EROFS|EACCES/,
      );
    const left = readdirSync(grounds.work);
    for (const name of before) if (name !== "mine" && name !== "other") expect(left).toContain(name);
    expect(readFileSync(grounds.at(".git/config"), "utf8")).toBe(".git/config");
    expect(readFileSync(grounds.at("secret"), "utf8")).toBe("secret");
    expect(view.isCurrent()).toBe(true);
  });

  test("are not read where that is denied, by root neither", async () => {
    using grounds = new Grounds();
    grounds.put("secret");
    grounds.put("closed/file");
    grounds.put("closed/open/file", "shown");
    grounds.put("shut/file");
    symlinkSync("secret", grounds.at("link"));
    using seen = await viewed([
      grounds.rule("write"),
      grounds.rule("deny-file", "secret"),
      grounds.closed("closed", "closed/open"),
      grounds.rule("write", "closed/open"),
      grounds.closed("shut"),
    ]);
    const { files } = seen;
    const at = (name: string) => grounds.at(name);
    for (
      const [name, doing] of Object.entries({
        read: () => files.readFile(at("secret")),
        "read by a link": () => files.readFile(at("link")),
        "read without following": () => files.readFile(at("secret"), { followSymlinks: false }),
        open: () => files.open(at("secret"), "read"),
        "copy from": () => files.copy(at("secret"), at("stolen"), { recursive: false }),
        list: () => files.readDirectory(at("closed")),
        "list what is shut": () => files.readDirectory(at("shut")),
        "copy a tree": () => files.copy(at("shut"), at("stolen"), { recursive: true }),
        "read in it": () => files.readFile(at("shut/file")),
        "look at what is in it": () => files.getMetadata(at("shut/file")),
        "look deeper": () => files.getMetadata(at("shut/a/b/c")),
        "find in it": () => files.canonicalize(at("shut/file")),
        "find by dots": () => files.canonicalize(at("shut/../shut/file")),
        "write in it": () => files.writeFile(at("shut/new"), NEW),
        "make in it": () => files.createDirectory(at("shut/a/b"), { recursive: true }),
        "remove in it": () => files.remove(at("shut/file"), { recursive: false, force: true }),
      })
    ) expect([name, await failure(doing)]).toEqual([name, "EACCES"]);
    expect(await files.getMetadata(at("secret"))).toMatchObject({ isFile: true, size: 0 });
    expect(await files.getMetadata(at("shut"))).toMatchObject({ isDirectory: true });
    expect(await failure(() => files.getMetadata(at("closed/file")))).toBe("ENOENT");
    expect(text(await files.readFile(at("closed/open/file")))).toBe("shown");
    await files.writeFile(at("closed/open/new"), NEW);

    const walked: string[] = [];
    const limits = { maxDepth: 9, maxDirectories: 99, maxEntries: 99 };
    const options = { ...limits, followDirectorySymlinks: true, pruneHiddenDirectories: false };
    await files.walk(grounds.work, options, ({ kind, path }) => walked.push(`${kind} ${path}`) > 0);
    expect(walked.filter((item) => item.startsWith("error"))).toEqual(["error closed", "error shut"]);
    expect(walked).not.toContain("file shut/file");
  });

  test("tell nothing of processes and of the kernel, although they are looked at by one", async () => {
    using seen = await viewed([]);
    expect(await seen.files.readDirectory("/proc")).toEqual([]);
    for (const name of ["self", "1", `${process.pid}/environ`, "kcore", "sys/kernel/core_pattern"]) {
      expect(await failure(() => seen.files.getMetadata(`/proc/${name}`))).toBe("ENOENT");
    }
    expect(await failure(() => seen.files.writeFile("/proc/sys/kernel/core_pattern", NEW))).toBe("ENOENT");
    expect(await failure(() => seen.files.readFile("/dev/fd/0"))).toBe("ENOENT");
  });

  test("of a view that shows little are few, and none of them tells of this machine", async () => {
    using grounds = new Grounds();
    grounds.put("file");
    symlinkSync("file", grounds.at("link"));
    using seen = await viewed([grounds.rule("write")], { view: "minimal" });
    const { files } = seen;
    const listed = await files.readDirectory("/");
    expect(listed.map(({ name }) => name).toSorted()).toEqual(
      ["dev", "proc", grounds.work.split("/")[1]!].toSorted(),
    );
    for (
      const path of [grounds.outside, "/etc/passwd", `/proc/${process.pid}`, "/proc/self", "/proc/kcore"]
    ) {
      expect([path, await failure(() => files.getMetadata(path))]).toEqual([path, "ENOENT"]);
    }
    expect(await files.canonicalize(`${grounds.work}/../work/./link`)).toBe(grounds.at("file"));
    expect(await files.canonicalize("/../..")).toBe("/");
    expect(await files.readDirectory("/proc")).toEqual([]);
    expect(await failure(() => files.writeFile("/new", NEW))).toBe("EROFS");
    expect(await failure(() => files.writeFile("/dev/shm/new", NEW))).toBe("EROFS");
    await files.createSymlink(grounds.at("away"), "/etc");
    expect(readlinkSync(grounds.at("away"))).toBe("/etc");
    expect(existsSync(grounds.at("away/passwd"))).toBe(true);
    expect(await failure(() => files.readFile(grounds.at("away/passwd")))).toBe("ENOENT");
  });
});
