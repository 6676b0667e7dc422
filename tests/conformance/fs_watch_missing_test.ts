import { expect } from "bun:test";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Peer } from "../support/peer.ts";
import { filesDirectory } from "../support/peer_files.ts";
import { onEachTarget } from "./on_each_target.ts";

type Directory = ReturnType<typeof filesDirectory>;

const watch = async (peer: Peer, watchId: number, missing: string[], present: string | null = null) =>
  (await peer.call<{ watching: boolean }>("fs/watchMissing", { watchId, missing, present })).watching;

/** The watches that have been told, in order. */
const told = (peer: Peer) =>
  peer.messages.filter(({ method }) => method === "fs/missingChanged").map(({ params }) => params?.watchId);

/** Waits for a watch to be told. */
const changed = (peer: Peer, watchId: number) =>
  peer.waitFor(
    ({ method, params }) => method === "fs/missingChanged" && params?.watchId === watchId,
    `the notice of watch ${watchId}`,
  );

/**
 * Whatever the server had to tell of what happened before has been told: what happened after it to another
 * connection's watch has.
 */
async function settled(url: string, here: Directory): Promise<void> {
  await using witness = await Peer.ready(url);
  const name = `witness-${crypto.randomUUID()}`;
  expect(await watch(witness, 1, [here.uri(name)])).toBe(true);
  here.put(name, "");
  await changed(witness, 1);
}

onEachTarget(({ target, test }) => {
  test("fs 52 what cannot be promised is not", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    mkdirSync(`${here.path}/directory`);
    symlinkSync("directory", `${here.path}/link`);
    symlinkSync("nowhere", `${here.path}/dangling`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await watch(peer, 0, [here.uri("missing")])).toBe(false);
    let id = 0;
    const nul = `file:///%00/bad/path/${Buffer.from("/tmp/\0x").toString("base64url")}`;
    const many = (count: number) => Array.from({ length: count }, (_, i) => here.uri(`missing-${i}`));
    const impossible: [string[], string?][] = [
      [[here.uri("file")]],
      [[here.uri("missing"), here.uri("directory")]],
      [[here.uri("link/missing")]],
      [[here.uri("dangling")]],
      [[here.uri("file/missing")]],
      [["file:///proc/self/missing"]],
      [["file:///C:/missing"]],
      [[nul]],
      [[]],
      [many(65)],
      [[here.uri("missing")], here.uri("missing too")],
    ];
    for (const [missing, present] of impossible) {
      expect({ missing, watching: await watch(peer, ++id, missing, present) }).toEqual({
        missing,
        watching: false,
      });
    }
    expect(await watch(peer, ++id, many(64), here.uri("file"))).toBe(true);
    expect(await watch(peer, id, [here.uri("missing")])).toBe(false);
    expect(await watch(peer, 1, [here.uri("missing")])).toBe(false);
  });

  test("fs 53 a watch is told once, and only the newest", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await watch(peer, 5, [here.uri("old")])).toBe(true);
    expect(await watch(peer, 9, [here.uri("new")])).toBe(true);
    expect(await watch(peer, 7, [here.uri("older")])).toBe(false);
    for (const name of ["old", "older", "new"]) here.put(name, "");
    await changed(peer, 9);
    rmSync(`${here.path}/new`);
    here.put("new", "again");
    await settled(server.url, here);
    expect(told(peer)).toEqual([9]);
    expect(await watch(peer, 10, [here.uri("next")])).toBe(true);
    expect(await watch(peer, 11, [])).toBe(false);
    here.put("next", "");
    await settled(server.url, here);
    expect(told(peer)).toEqual([9]);
  });

  test("fs 53 what does not concern a watch is not told", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/directory`);
    const file = here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await watch(peer, 1, [here.uri("missing")], here.uri("directory"))).toBe(true);
    here.put("sibling", "");
    here.put("directory/inside", "");
    writeFileSync(file, "written");
    await settled(server.url, here);
    expect(told(peer)).toEqual([]);
    here.put("missing", "");
    await changed(peer, 1);
  });

  const happenings: [string, { missing?: string; present?: string; act(path: string): void }][] = [
    ["54 the path appears", { act: (path) => writeFileSync(`${path}/missing`, "") }],
    ["54 its first missing parent appears", { missing: "a/b/c", act: (path) => mkdirSync(`${path}/a`) }],
    ["54 it appears as a link that leads nowhere", { act: (path) => symlinkSync("x", `${path}/missing`) }],
    ["54 it is moved there", { act: (path) => renameSync(`${path}/file`, `${path}/missing`) }],
    ["54 it comes and goes at once", {
      act: (path) => {
        mkdirSync(`${path}/missing`);
        rmSync(`${path}/missing`, { recursive: true });
      },
    }],
    ["53 a parent moves away", {
      missing: "p/q/missing",
      act: (path) => renameSync(`${path}/p`, `${path}/moved`),
    }],
    ["53 the parent is removed", {
      missing: "p/q/missing",
      act: (path) => rmSync(`${path}/p/q`, { recursive: true }),
    }],
    ["53 what is present is written", {
      present: "file",
      act: (path) => writeFileSync(`${path}/file`, "new"),
    }],
    ["53 what is present gets another mode", {
      present: "file",
      act: (path) => chmodSync(`${path}/file`, 0o600),
    }],
    ["53 what is present goes", { present: "file", act: (path) => rmSync(`${path}/file`) }],
    ["53 a directory that is present gets another mode", {
      present: "p",
      act: (path) => chmodSync(`${path}/p`, 0o700),
    }],
  ];

  for (const [name, { missing = "missing", present, act }] of happenings) {
    test(`fs ${name}, and the watch is told`, async () => {
      using here = filesDirectory();
      here.put("file", "x");
      mkdirSync(`${here.path}/p/q`, { recursive: true });
      await using server = await target.serve();
      await using peer = await Peer.ready(server.url);
      const known = present === undefined ? null : here.uri(present);
      expect(await watch(peer, 1, [here.uri(missing)], known)).toBe(true);
      act(here.path);
      await changed(peer, 1);
    });
  }

  test("fs 53 what is present is replaced by another, and the watch is told", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    here.put("other", "y");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await watch(peer, 1, [here.uri("missing")], here.uri("file"))).toBe(true);
    renameSync(`${here.path}/other`, `${here.path}/file`);
    await changed(peer, 1);
  });
});
