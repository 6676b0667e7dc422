import { expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { Peer } from "../support/peer.ts";
import { filesDirectory, readText, refusedWith, systemRefusal, UTF8 } from "../support/peer_files.ts";
import {
  context,
  type Json,
  managed,
  path,
  READ_ONLY,
  special,
  workspaceWrite,
} from "../support/sandbox_context.ts";
import { onEachTarget } from "./on_each_target.ts";

const READ_ONLY_FILE_SYSTEM = [-32603, "(os error 30)"] as const;
const NOT_THERE = [-32004, "(os error 2)"] as const;
const DENIED = [-32600, "(os error 13)"] as const;

onEachTarget(({ target, test }) => {
  test("fs 81 what is outside of the workspace is not written, what is inside is", async () => {
    using here = filesDirectory();
    using outside = filesDirectory();
    outside.put("file", "kept");
    here.put("mine", "mine");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = workspaceWrite(here.path);
    const calls = (uri: (name: string) => string): [string, Json][] => [
      ["fs/writeFile", { path: uri("file"), dataBase64: UTF8("new") }],
      ["fs/writeFile", { path: uri("made"), dataBase64: UTF8("new") }],
      ["fs/open", { handleId: "h", path: uri("file"), mode: "replace" }],
      ["fs/createDirectory", { path: uri("directory") }],
      ["fs/copy", { sourcePath: here.uri("mine"), destinationPath: uri("copy"), recursive: false }],
      ["fs/remove", { path: uri("file") }],
    ];
    for (const [method, params] of calls((name) => outside.uri(name))) {
      expect([method, ...await systemRefusal(peer, method, { ...params, sandbox })]).toEqual([
        method,
        ...READ_ONLY_FILE_SYSTEM,
      ]);
    }
    expect(readFileSync(`${outside.path}/file`, "utf8")).toBe("kept");
    for (const [method, params] of calls((name) => here.uri(name))) {
      await peer.call(method, { ...params, sandbox });
    }
    expect(existsSync(`${here.path}/file`)).toBe(false);
    expect(readFileSync(`${here.path}/made`, "utf8")).toBe("new");
    expect(readFileSync(`${here.path}/copy`, "utf8")).toBe("mine");
    expect(existsSync(`${here.path}/directory`)).toBe(true);
  });

  test("fs 81 protected names are left as they are, there or not", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/.git`);
    here.put(".git/config", "kept");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = workspaceWrite(here.path);
    for (const name of [".git/config", ".git/new", ".codex/new"]) {
      const params = { path: here.uri(name), dataBase64: UTF8("new"), sandbox };
      expect([name, ...await systemRefusal(peer, "fs/writeFile", params)]).toEqual([
        name,
        ...READ_ONLY_FILE_SYSTEM,
      ]);
    }
    for (const name of [".git", ".codex"]) {
      const params = { path: here.uri(name), sandbox };
      expect((await refusedWith(peer, "fs/remove", params)).code).toBe(-32603);
    }
    expect(readFileSync(`${here.path}/.git/config`, "utf8")).toBe("kept");
  });

  test("fs 81 nothing is left in the workspace but what was written there", async () => {
    using here = filesDirectory();
    {
      await using server = await target.serve();
      await using peer = await Peer.ready(server.url);
      const params = { path: here.uri("file"), dataBase64: UTF8("x"), sandbox: workspaceWrite(here.path) };
      await peer.call("fs/writeFile", params);
    }
    expect(readdirSync(here.path)).toEqual(["file"]);
  });

  test("fs 81 what is denied is not read, and is seen to be there", async () => {
    using here = filesDirectory();
    here.put("secret", "secret");
    mkdirSync(`${here.path}/closed`);
    here.put("closed/file", "secret");
    here.put("open", "open");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = context(managed([
      special("root", "read"),
      path(here.uri("secret"), "deny"),
      path(here.uri("closed"), "deny"),
    ]));
    const denied: [string, Json][] = [
      ["fs/readFile", { path: here.uri("secret") }],
      ["fs/open", { handleId: "h", path: here.uri("secret") }],
      ["fs/readFile", { path: here.uri("closed/file") }],
      ["fs/getMetadata", { path: here.uri("closed/file") }],
      ["fs/readDirectory", { path: here.uri("closed") }],
    ];
    for (const [method, params] of denied) {
      expect([method, ...await systemRefusal(peer, method, { ...params, sandbox })]).toEqual([
        method,
        ...DENIED,
      ]);
    }
    const known = await peer.call("fs/getMetadata", { path: here.uri("secret"), sandbox });
    expect(known).toMatchObject({ isFile: true, size: 0 });
    const read = await peer.call("fs/readFile", { path: here.uri("open"), sandbox });
    expect(read).toEqual({ dataBase64: UTF8("open") });
  });

  test("fs 81 nothing is there but what may be read and what every program needs", async () => {
    using here = filesDirectory();
    using outside = filesDirectory();
    here.put("file", "x");
    outside.put("file", "x");
    symlinkSync(`${outside.path}/file`, `${here.path}/out`);
    symlinkSync("file", `${here.path}/in`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = context(managed([path(here.uri(), "read")]));
    expect(await peer.call("fs/readFile", { path: here.uri("in"), sandbox })).toEqual({
      dataBase64: UTF8("x"),
    });
    expect(await peer.call("fs/canonicalize", { path: here.uri("in"), sandbox })).toEqual({
      path: here.uri("file"),
    });
    await peer.call("fs/getMetadata", { path: "file:///usr", sandbox });
    for (const uri of [outside.uri("file"), here.uri("out")]) {
      expect(await systemRefusal(peer, "fs/readFile", { path: uri, sandbox })).toEqual([...NOT_THERE]);
      expect(await systemRefusal(peer, "fs/getMetadata", { path: uri, sandbox })).toEqual([...NOT_THERE]);
    }
    const inside = { path: here.uri("file"), dataBase64: UTF8("new"), sandbox };
    expect(await systemRefusal(peer, "fs/writeFile", inside)).toEqual([...READ_ONLY_FILE_SYSTEM]);
  });

  test("fs 81 a name that is written with slashes leads no further than others", async () => {
    using here = filesDirectory();
    using outside = filesDirectory();
    here.put("file", "x");
    outside.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = context(managed([path(here.uri(), "read")]));
    const name = outside.path.split("/").at(-1)!;
    for (const slash of ["%2F", "%2f"]) {
      const spelled = `${here.uri()}${slash}..${slash}${name}${slash}file`;
      expect(await systemRefusal(peer, "fs/readFile", { path: spelled, sandbox })).toEqual([...NOT_THERE]);
      const back = `${here.uri()}${slash}..${slash}${here.path.split("/").at(-1)}${slash}file`;
      const read = await peer.call("fs/readFile", { path: back, sandbox });
      expect(read).toEqual({ dataBase64: UTF8("x") });
    }
  });

  test("fs 81 a file that was opened in a sandbox is read and written by its handle", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = workspaceWrite(here.path);
    await peer.call("fs/open", { handleId: "w", path: here.uri("file"), mode: "replace", sandbox });
    await peer.call("fs/writeBlock", { handleId: "w", offset: 0, chunk: UTF8("words") });
    await peer.call("fs/close", { handleId: "w" });
    expect(await readText(peer, here.uri("file"))).toBe("words");
    await peer.call("fs/open", { handleId: "r", path: here.uri("file"), sandbox });
    expect(await peer.call("fs/readBlock", { handleId: "r", offset: 0, len: 5 })).toMatchObject({
      chunk: UTF8("words"),
    });
    const { capabilities } = await peer.call<{ capabilities: Json }>("environment/info", {});
    expect(capabilities["sandboxedFileStreaming"]).toBe(true);
  });

  test("fs 82 a profile that depends on a directory is refused without one", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const glob = { path: { type: "glob_pattern", pattern: "*.env" }, access: "deny" };
    for (const entries of [[special("project_roots", "write")], [special("root", "read"), glob]]) {
      const sandbox = { ...context(managed(entries)), cwd: null };
      const params = { path: here.uri("file"), dataBase64: "", sandbox };
      expect(await refusedWith(peer, "fs/writeFile", params)).toEqual({
        code: -32602,
        message: "file system sandbox context with dynamic permissions requires cwd",
      });
    }
  });

  test("fs 83 the policy's own place comes before the flat one", async () => {
    using here = filesDirectory();
    using elsewhere = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = {
      ...workspaceWrite(elsewhere.path),
      policyContext: { cwd: here.uri(), workspaceRoots: [here.uri()] },
    };
    await peer.call("fs/writeFile", { path: here.uri("file"), dataBase64: UTF8("x"), sandbox });
    const outside = { path: elsewhere.uri("file"), dataBase64: UTF8("x"), sandbox };
    expect(await systemRefusal(peer, "fs/writeFile", outside)).toEqual([...READ_ONLY_FILE_SYSTEM]);
  });

  test("fs 78 files: what is of another machine is refused, unless nothing is restricted", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const foreign = "file:///C:/x";
    const cause = `'${foreign}' is invalid on 'linux'`;
    const root = "file system sandbox workspace root is not native to this exec-server host";
    const cases: [Json, string][] = [
      [{ cwd: foreign }, cause],
      [{ workspaceRoots: [foreign] }, `${root}: ${cause}`],
      [{ policyContext: { cwd: foreign, workspaceRoots: [] } }, cause],
      [
        { windowsSandboxLevel: "mxc" },
        "failed to prepare fs sandbox: failed to prepare MXC sandbox: native MXC is unavailable on this executor",
      ],
    ];
    const params = { path: here.uri("file"), dataBase64: UTF8("x") };
    for (const [more, message] of cases) {
      expect(await refusedWith(peer, "fs/writeFile", { ...params, sandbox: { ...READ_ONLY, ...more } }))
        .toEqual({
          code: -32600,
          message,
        });
      const disabled = { ...context({ type: "disabled" }), ...more };
      await peer.call("fs/writeFile", { ...params, sandbox: disabled });
    }
    const entry = context(managed([special("root", "read"), path(foreign, "read")]));
    expect((await refusedWith(peer, "fs/writeFile", { ...params, sandbox: entry })).message).toBe(
      `invalid sandbox permission path URI: ${cause}`,
    );
  });
});
