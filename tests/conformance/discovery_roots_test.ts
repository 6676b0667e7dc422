import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { filesDirectory, refusedWith } from "../support/peer_files.ts";
import { context, type Json, managed, path } from "../support/sandbox_context.ts";
import { onEachTarget } from "./on_each_target.ts";

const MIB = 1024 * 1024;

type TextFile = { path: string; contents: string };
type Root = {
  id: string;
  path: string;
  plugin: { manifest: TextFile; mcpConfig: TextFile | null; appsConfig: TextFile | null } | null;
  skills: { instructions: TextFile; metadata: TextFile | null }[];
  namespaceManifests: TextFile[];
  warnings: string[];
  error: string | null;
};

const NOTHING = { plugin: null, skills: [], namespaceManifests: [], warnings: [], error: null };

async function discover(peer: Peer, roots: { id: string; path: string; sandbox?: Json }[]): Promise<Root[]> {
  return (await peer.call<{ roots: Root[] }>("capabilityRoots/discoverV1", { roots })).roots;
}

/** What is in one root. */
async function look(peer: Peer, path: string): Promise<Root> {
  return (await discover(peer, [{ id: "root", path }]))[0]!;
}

onEachTarget(({ target, test }) => {
  const tree = (files: Record<string, string | Uint8Array>) => {
    const here = filesDirectory();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(`${here.path}/${name}`), { recursive: true });
      writeFileSync(`${here.path}/${name}`, content);
    }
    return here;
  };

  test("fs 8 a path is echoed in its canonical form", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect((await look(peer, "file:///no/é")).path).toBe("file:///no/%C3%A9");
  });

  test("fs 85 ids and canonical paths are echoed in the order of the request, and errors stay with their root", async () => {
    using here = tree({ "file": "x", "empty/keep/x": "", "with/SKILL.md": "hello" });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const roots = [
      { id: "same", path: here.uri("none") },
      { id: "same", path: here.uri("with") },
      { id: "", path: here.uri("file") },
      { id: "foreign", path: "file:///c:/x" },
      { id: "last", path: here.uri("./empty/../empty") },
    ];
    const found = await discover(peer, roots);
    expect(found).toEqual([
      {
        ...roots[0]!,
        ...NOTHING,
        error: `failed to inspect capability root ${
          here.uri("none")
        }: No such file or directory (os error 2)`,
      },
      {
        ...roots[1]!,
        ...NOTHING,
        skills: [{ instructions: { path: here.uri("with/SKILL.md"), contents: "hello" }, metadata: null }],
      },
      { ...roots[2]!, ...NOTHING, error: `capability root ${here.uri("file")} is not a directory` },
      {
        id: "foreign",
        path: "file:///C:/x",
        ...NOTHING,
        error: "failed to inspect capability root file:///C:/x: 'file:///C:/x' is invalid on 'linux'",
      },
      { id: "last", path: here.uri("empty"), ...NOTHING },
    ]);
  });

  test("fs 85 what makes no sense is refused as a whole", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const wrong: [unknown, string][] = [
      [{}, "missing field `roots`"],
      [{ roots: null }, "invalid type: null, expected a sequence"],
      [{ roots: [5] }, "invalid type: number, expected struct WireCapabilityRootDiscoverRequest"],
      [{ roots: [{ id: "a" }] }, "missing field `path`"],
      [{ roots: [{ id: "a", path: "/x" }] }, "invalid URI: relative URL without a base"],
    ];
    for (const [params, message] of wrong) {
      expect(await refusedWith(peer, "capabilityRoots/discoverV1", params as object)).toEqual({
        code: -32602,
        message,
      });
    }
  });

  test("fs 85 skills are found at any depth up to six, sorted by URI, with their metadata", async () => {
    using here = tree({
      "SKILL.md": "root",
      "b/SKILL.md": "b",
      "b/agents/openai.yaml": "meta",
      ".hidden/SKILL.md": "hidden",
      "é ü/SKILL.md": "name",
      "1/2/3/4/5/6/SKILL.md": "deep",
      "1/2/3/4/5/6/7/SKILL.md": "too deep",
      "c/skill.md": "no",
      "d/agents/openai.yaml": "no",
    });
    mkdirSync(`${here.path}/e/SKILL.md`, { recursive: true });
    using elsewhere = tree({ "SKILL.md": "linked" });
    symlinkSync(elsewhere.path, `${here.path}/link`);
    symlinkSync(here.path, `${here.path}/b/circle`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { skills, warnings } = await look(peer, here.uri());
    const skill = (name: string, contents: string, metadata: TextFile | null = null) => ({
      instructions: { path: here.uri(name), contents },
      metadata,
    });
    expect({ skills, warnings }).toEqual({
      skills: [
        skill("%C3%A9%20%C3%BC/SKILL.md", "name"),
        skill(".hidden/SKILL.md", "hidden"),
        skill("1/2/3/4/5/6/SKILL.md", "deep"),
        skill("SKILL.md", "root"),
        skill("b/SKILL.md", "b", { path: here.uri("b/agents/openai.yaml"), contents: "meta" }),
        skill("link/SKILL.md", "linked"),
      ],
      warnings: [],
    });
  });

  test("fs 85 what is too large or no UTF-8 is left out with a warning, and so is the rest of a root that is too large", async () => {
    const mebibyte = new Uint8Array(MIB).fill(0x61);
    using here = tree({
      "a/SKILL.md": new Uint8Array([0xff]),
      "b/SKILL.md": new Uint8Array(MIB + 1),
      "c/SKILL.md": mebibyte,
      "d/SKILL.md": "d",
      "d/agents/openai.yaml": new Uint8Array(MIB + 1),
    });
    using large = tree(
      Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`${index}/SKILL.md`, mebibyte])),
    );
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { skills, warnings } = await look(peer, here.uri());
    expect(skills.map(({ instructions: { path } }) => path)).toEqual(
      ["c", "d"].map((name) => here.uri(`${name}/SKILL.md`)),
    );
    expect(skills[1]!.metadata).toBeNull();
    expect(warnings.map((warning) => warning.replace(/(?<=UTF-8).*/, ""))).toEqual([
      `capability file ${here.uri("a/SKILL.md")} is not UTF-8`,
      `capability file ${here.uri("b/SKILL.md")} exceeds the 1048576-byte limit`,
      `capability file ${here.uri("d/agents/openai.yaml")} exceeds the 1048576-byte limit`,
    ]);
    const whole = await look(peer, large.uri());
    expect([whole.skills.length, whole.warnings]).toEqual([
      16,
      ["capability root bundle exceeds the 16777216-byte limit"],
    ]);
  });

  test("fs 85 a scan ends after 2000 directories or 20000 entries, and says so", async () => {
    using many = filesDirectory();
    for (let index = 0; index < 2_000; index++) mkdirSync(`${many.path}/${index}`);
    using full = filesDirectory();
    for (let index = 0; index <= 20_000; index++) writeFileSync(`${full.path}/${index}`, "");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const { uri } of [many, full]) {
      expect((await look(peer, uri())).warnings).toEqual([
        `capability scan reached its traversal limit (root: ${uri()})`,
      ]);
    }
  });

  test("fs 86 129 roots are refused and 128 are not", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const roots = Array.from({ length: 129 }, (_, index) => ({ id: `${index}`, path: "file:///none" }));
    expect(await refusedWith(peer, "capabilityRoots/discoverV1", { roots })).toEqual({
      code: -32600,
      message: "capability root discovery accepts at most 128 roots",
    });
    expect((await discover(peer, roots.slice(1))).map(({ id }) => id)).toEqual(
      roots.slice(1).map(({ id }) => id),
    );
  });

  test("fs 87 the manifest of Codex counts before that of Claude, and that before that of Cursor", async () => {
    const [codex, claude, cursor] = ["codex", "claude", "cursor"].map((name) =>
      `.${name}-plugin/plugin.json`
    );
    using here = tree({
      [`a/${codex}`]: "1",
      [`a/${claude}`]: "2",
      [`a/${cursor}`]: "3",
      [`b/${claude}`]: "2",
      [`b/${cursor}`]: "3",
      [`c/${codex}`]: new Uint8Array([0xff]),
      [`c/${cursor}`]: "3",
      [`c/nested/${claude}`]: "2",
      [`c/nested/${cursor}`]: "3",
      "c/plain/SKILL.md": "x",
    });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const manifest = async (name: string) => (await look(peer, here.uri(name))).plugin?.manifest;
    expect(await manifest("a")).toEqual({ path: here.uri(`a/${codex}`), contents: "1" });
    expect(await manifest("b")).toEqual({ path: here.uri(`b/${claude}`), contents: "2" });
    const own = { path: here.uri(`c/${cursor}`), contents: "3" };
    const nested = { path: here.uri(`c/nested/${claude}`), contents: "2" };
    expect(await look(peer, here.uri("c"))).toMatchObject({
      plugin: { manifest: own, mcpConfig: null, appsConfig: null },
      namespaceManifests: [own, nested],
    });
    // Without one of its own, a root is named by the nearest above it.
    expect(await look(peer, here.uri("c/plain"))).toMatchObject({ plugin: null, namespaceManifests: [own] });
  });

  test("fs 87 servers and apps are read where the manifest says, and not where they stand in it", async () => {
    const MANIFEST = ".codex-plugin/plugin.json";
    const plugin = (value: unknown) => ({
      [MANIFEST]: value === undefined ? "no JSON" : JSON.stringify({ mcpServers: value, apps: value }),
      ".mcp.json": "usual servers",
      ".app.json": "usual apps",
      "named.json": "named",
    });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const read = async (value: unknown) => {
      using here = tree(plugin(value));
      const { plugin: found, warnings } = await look(peer, here.uri());
      const why = warnings.map((warning) => warning.replace(`in ${here.uri(MANIFEST)}: `, ""));
      return [found?.mcpConfig?.contents ?? null, found?.appsConfig?.contents ?? null, ...why];
    };
    const usual = ["usual servers", "usual apps"];
    const starts = "path must start with `./`";
    const leaves = "path must remain below the capability root";
    for (const value of [undefined, null, 5, []]) expect(await read(value)).toEqual(usual);
    expect(await read("./named.json")).toEqual(["named", "named"]);
    expect(await read("././named.json")).toEqual(["named", "named"]);
    expect(await read("./missing.json")).toEqual([null, null]);
    expect(await read({ server: {} })).toEqual([null, "usual apps"]);
    for (
      const [value, why] of [["named.json", starts], ["/named.json", starts], ["./../x", leaves], [
        "./",
        leaves,
      ], [
        "./a/../named.json",
        leaves,
      ]]
    ) {
      expect(await read(value)).toEqual([...usual, `ignoring mcpServers ${why}`, `ignoring apps ${why}`]);
    }
  });

  test("fs 88 a call before initialize is refused by the name of its family", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    expect(await refusedWith(peer, "capabilityRoots/discoverV1", { roots: [] })).toEqual({
      code: -32600,
      message: "client must call initialize before using capability discovery methods",
    });
  });

  const oursOnly = target.name === "ours" ? test : () => {};

  oursOnly("fs 88 what is not implemented is an unknown method, and not advertised", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    const { environmentInfo } = await peer.initialize() as { environmentInfo: { capabilities: object } };
    expect(Object.keys(environmentInfo.capabilities)).not.toContain("capabilityDiscoveryV2");
    expect(Object.keys(environmentInfo.capabilities)).not.toContain("environmentConfigRead");
    for (const method of ["capabilities/discoverV2", "environmentConfig/read"]) {
      expect(await refusedWith(peer, method, {})).toEqual({
        code: -32601,
        message: `exec-server stub does not implement \`${method}\` yet`,
      });
    }
  });

  test("fs 81 a root that must be looked at in a sandbox is not seen where that does not show it", async () => {
    using here = tree({ "SKILL.md": "x" });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const root = { id: "a", path: here.uri() };
    const showing = (entries: Json[]) => ({ ...root, sandbox: context(managed(entries)) });
    const found = await discover(peer, [showing([]), showing([path(here.uri(), "read")]), root]);
    expect(found.map(({ error, skills }) => [error === null, skills.length])).toEqual([
      [false, 0],
      [true, 1],
      [true, 1],
    ]);
  });
});
