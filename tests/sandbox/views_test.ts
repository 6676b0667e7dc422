import { describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PinnedView } from "../../lib/sandbox/view.ts";
import type { MountRule, Rules } from "../../lib/sandbox/rules.ts";
import { UnenforceableError } from "../../lib/sandbox/unenforceable.ts";
import { Views } from "../../lib/sandbox/views.ts";
import { beneath } from "../../lib/fs/local/beneath.ts";
import { filesOf } from "../../lib/fs/local/local_file_system.ts";
import { failure } from "../support/file_facts.ts";
import { mechanism, rulesOf, sandbox } from "./confined.ts";
import { Grounds } from "./viewed.ts";

const filesIn = ({ root, masks }: PinnedView) => filesOf(beneath({ fd: root, masks }));
const itself = (view: PinnedView) => view;
const openViews = () => new Views(() => sandbox.support());
/** Where mounts are seen by this program and its children only, and may be made. */
const withOwnMounts = (argv: string[]) => ["unshare", "--user", "--map-root-user", "--mount", "--", ...argv];
const canMount = Bun.which("unshare") !== null &&
  Bun.spawnSync(withOwnMounts(["mount", "-t", "tmpfs", "none", tmpdir()]), { stderr: "ignore" }).exitCode ===
    0;

/** The mount namespaces that this program holds open: other tests in it may hold some too, for a while. */
const pinnedNow = () =>
  new Set(
    readdirSync("/proc/self/fd").map((fd) => linkOf(`/proc/self/fd/${fd}`)).filter((link) =>
      link.startsWith("mnt:")
    ),
  );

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // the descriptor that the listing itself was made by
  }
}

const ruled = (...mounts: MountRule[]): Rules => rulesOf(mounts);

describe.skipIf(mechanism === null)("the views of a server", () => {
  test("are kept for those who ask with the same rules, and built once for all who ask together", async () => {
    using grounds = new Grounds();
    using views = openViews();
    const rules = ruled(grounds.rule("write"));
    const asked = [views.use(rules, itself), views.use(ruled(grounds.rule("write")), itself)];
    const [one, same] = await Promise.all(asked);
    expect(same).toBe(one!);
    expect(views.use(rules, itself)).toBe(one!); // and at once
    const other = await views.use(ruled(grounds.rule("read")), itself);
    expect(other).not.toBe(one!);
  });

  test("are built anew when something else is in the place of what a rule is about", async () => {
    using grounds = new Grounds();
    grounds.put("a/file", "old");
    using views = openViews();
    const rules = ruled(grounds.rule("write", "a"));
    const old = await views.use(rules, itself);
    renameSync(grounds.at("a"), grounds.at("b")); // its mount goes with it
    grounds.put("a/file", "new");
    const read = () =>
      views.use(rules, async (view) => [view, await filesIn(view).readFile(grounds.at("a/file"))]);
    const [view, bytes] = await read() as [PinnedView, Uint8Array];
    expect([view === old, Buffer.from(bytes).toString()]).toEqual([false, "new"]);
  });

  test("leave a protected name as it is when another one takes its place, with the same number too", async () => {
    using grounds = new Grounds();
    using views = openViews();
    const rules = ruled(grounds.rule("write"), grounds.rule("read", ".git"));
    const write = () =>
      failure(() =>
        views.use(rules, (view) => filesIn(view).writeFile(grounds.at(".git/config"), Buffer.from("x")))
      );
    for (let round = 0; round < 4; round++) {
      mkdirSync(grounds.at(".git"));
      expect(await write()).toBe("EROFS");
      if (round % 2 === 0) renameSync(grounds.at(".git"), grounds.at(`old${round}`));
      else rmdirSync(grounds.at(".git"));
    }
  });

  test.skipIf(!canMount)("show what is mounted and unmounted outside meanwhile", async () => {
    using grounds = new Grounds();
    const program = join(import.meta.dir, "../support/fixtures/mount_under_view.ts");
    await using child = Bun.spawn(withOwnMounts([process.execPath, program, grounds.work]), {
      stdout: "pipe",
      stderr: "inherit",
    });
    expect(await child.stdout.text()).toBe("before\nmounted\nbefore\n");
  });

  test("hide what takes the place of a file that is denied, of one that has its number too", async () => {
    using grounds = new Grounds();
    grounds.put("secret");
    using views = openViews();
    const rules = ruled(grounds.rule("write"), grounds.rule("deny-file", "secret"));
    const steal = () =>
      failure(() => views.use(rules, (view) => filesIn(view).readFile(grounds.at("secret"))));
    expect(await steal()).toBe("EACCES");
    for (let round = 0; round < 3; round++) {
      const before = lstatSync(grounds.at("secret")).ino;
      rmSync(grounds.at("secret"));
      grounds.put("secret", `secret ${round} after ${before}`);
      expect(await steal()).toBe("EACCES");
      renameSync(grounds.put("written", "saved as editors do"), grounds.at("secret"));
      expect(await steal()).toBe("EACCES");
    }
  });

  test("hold the place of a name that is missing, and let go of it", async () => {
    using grounds = new Grounds();
    const rules = ruled(grounds.rule("write"), grounds.rule("absent", ".codex"));
    {
      using views = openViews();
      const view = await views.use(rules, itself);
      expect(readdirSync(grounds.work)).toEqual([".codex"]);
      // It is there now: whoever looks at the disk again finds it, and means the same.
      expect(await views.use(ruled(grounds.rule("write"), grounds.rule("read", ".codex")), itself)).toBe(
        view,
      );
    }
    expect(readdirSync(grounds.work)).toEqual([]);
  });

  test("show what somebody outside has put into a place that was held", async () => {
    using grounds = new Grounds();
    using views = openViews();
    const missing = ruled(grounds.rule("write"), grounds.rule("absent", ".codex"));
    const view = await views.use(missing, itself);
    writeFileSync(grounds.at(".codex/file"), "theirs");
    const there = ruled(grounds.rule("write"), grounds.rule("read", ".codex"));
    const [again, bytes, writing] = await views.use(there, async (view) => {
      const files = filesIn(view);
      const path = grounds.at(".codex/file");
      return [view, await files.readFile(path), await failure(() => files.writeFile(path, Buffer.from("x")))];
    });
    expect([again === view, Buffer.from(bytes as Uint8Array).toString(), writing]).toEqual([
      false,
      "theirs",
      "EROFS",
    ]);
    views[Symbol.dispose]();
    expect(existsSync(grounds.at(".codex/file"))).toBe(true);
  });

  test("are closed when the last call in them has ended, and not before", async () => {
    using grounds = new Grounds();
    grounds.put("file");
    const views = openViews();
    const rules = ruled(grounds.rule("read"));
    const gate = Promise.withResolvers<void>();
    let view: PinnedView | undefined;
    const reading = views.use(rules, async (given) => {
      view = given;
      await gate.promise;
      return await filesIn(given).readFile(grounds.at("file"));
    });
    await Bun.sleep(0);
    while (view === undefined) await Bun.sleep(1);
    views[Symbol.dispose]();
    expect(view.isCurrent()).toBe(true);
    gate.resolve();
    expect(Buffer.from(await reading).toString()).toBe("file");
    expect(existsSync(`/proc/self/fd/${view.root}`)).toBe(false);
  });

  test("leave nothing on the host when the program ends while they are in use", async () => {
    using grounds = new Grounds();
    const views = openViews();
    const gate = Promise.withResolvers<void>();
    const rules = ruled(grounds.rule("write"), grounds.rule("absent", ".codex"));
    const inUse = views.use(rules, () => gate.promise);
    await views.use(rules, itself);
    views[Symbol.dispose]();
    expect(readdirSync(grounds.work)).toEqual([".codex"]);
    views.abandon();
    expect(readdirSync(grounds.work)).toEqual([]);
    gate.resolve();
    await inUse;
  });

  test("are closed when nobody wants them any more", async () => {
    using grounds = new Grounds();
    using views = new Views(() => sandbox.support(), 1);
    const view = await views.use(ruled(grounds.rule("write"), grounds.rule("absent", ".codex")), itself);
    while (existsSync(grounds.at(".codex"))) await Bun.sleep(1);
    expect(existsSync(`/proc/self/fd/${view.root}/usr`)).toBe(false);
  });

  test("let go of names that are missing long before, as others see them, and are built again", async () => {
    using grounds = new Grounds();
    using views = openViews();
    const others = pinnedNow();
    const rules = ruled(grounds.rule("write"), grounds.rule("absent", ".codex"));
    const kept = await views.use(ruled(grounds.rule("write")), itself);
    const held = await views.use(rules, itself);
    await Bun.sleep(50); // timers of one loop come in their order
    mkdirSync(grounds.at(".codex"));
    rmdirSync(grounds.at(".codex"));
    expect(views.use(ruled(grounds.rule("write")), itself)).toBe(kept);
    expect(pinnedNow().difference(others).size).toBe(1);
    expect(await views.use(rules, itself)).not.toBe(held);
  });

  test("are few: the one that nobody wanted for longest goes first", async () => {
    using grounds = new Grounds();
    using views = openViews();
    const others = pinnedNow();
    const seen: PinnedView[] = [];
    for (let index = 0; index < 12; index++) {
      mkdirSync(grounds.at(`${index}`));
      const view = await views.use(ruled(grounds.rule("write", `${index}`)), itself);
      seen.push(view);
    }
    expect(await views.use(ruled(grounds.rule("write", "11")), itself)).toBe(seen[11]!);
    expect(await views.use(ruled(grounds.rule("write", "0")), itself)).not.toBe(seen[0]!);
    expect(pinnedNow().difference(others).size).toBe(8);
  });

  test("fail for all who ask where they cannot be built, and are tried again", async () => {
    using grounds = new Grounds();
    using views = openViews();
    const rules = ruled(grounds.rule("write", "later"));
    const asked = await Promise.allSettled([views.use(rules, itself), views.use(rules, itself)]);
    const reasons = asked.map((one) => one.status === "rejected" && one.reason instanceof UnenforceableError);
    expect(reasons).toEqual([true, true]);
    mkdirSync(grounds.at("later"));
    utimesSync(grounds.at("later"), 1, 1);
    expect((await views.use(rules, itself)).isCurrent()).toBe(true);
    using none = new Views(() => Promise.resolve({ mechanism: null, failing: "unshare" }));
    await expect(none.use(rules, itself)).rejects.toThrow("unshare");
  });
});
