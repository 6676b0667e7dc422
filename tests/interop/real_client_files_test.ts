import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { existsSync, readFileSync } from "node:fs";
import { join } from "@std/path";
import { execCommand, type ToolCall } from "./mock_model.ts";
import { converse } from "./real_client.ts";
import { CODEX_VERSIONS, type CodexVersion, findCodex } from "../support/real_codex.ts";
import { openServer } from "./open_server.ts";
import { makeTemporaryDirectory } from "./temporary_directory.ts";
import { WireRecorder } from "./wire_recorder.ts";

/** Above the deadline of one conversation, so that its own message is the one to be seen. */
const TIMEOUT_MS = 45_000;

for (const codex of await Promise.all(CODEX_VERSIONS.map(findCodex))) {
  if (codex.found) describe(`codex ${codex.version} with our files`, () => edit(codex.version, codex.binary));
  else {
    console.warn(`Skipped: ${codex.reason}`);
    test.skip(`codex ${codex.version} with our files (${codex.reason})`, () => {});
  }
}

function edit(version: CodexVersion, binary: string): void {
  const opened = new AsyncDisposableStack();
  let recorder: WireRecorder;
  beforeAll(async () => {
    recorder = opened.use(new WireRecorder(opened.use(await openServer()).url));
  });
  afterAll(() => opened.disposeAsync());

  test("a patch makes, changes, moves and deletes files by way of the server", async () => {
    await using place = await makeTemporaryDirectory();
    const at = (name: string) => join(place.path, name);
    await mkdir(at("src"));
    await Bun.write(at("src/edited.txt"), "one\ntwo\nthree\n");
    await Bun.write(at("src/moved.txt"), "here\n");
    await Bun.write(at("gone.txt"), "bye\n");
    const from = recorder.calls.length;
    const conversation = await converse(
      { binary, serverUrl: recorder.url, workdir: place.path },
      function* () {
        const answer = yield applyPatch(`*** Add File: new/deep/file.txt
+made
*** Update File: src/edited.txt
@@
 one
-two
+2
 three
*** Update File: src/moved.txt
*** Move to: src/there.txt
@@
-here
+there
*** Delete File: gone.txt`);
        expect(answer.text).toContain("Success");
        return "The end";
      },
    );
    expect(conversation).toMatchObject({ said: "The end", exitCode: 0 });
    const text = (name: string) => readFileSync(at(name), "utf8");
    expect([text("new/deep/file.txt"), text("src/edited.txt"), text("src/there.txt")]).toEqual(
      ["made\n", "one\n2\nthree\n", "there\n"],
    );
    expect([existsSync(at("src/moved.txt")), existsSync(at("gone.txt"))]).toEqual([false, false]);

    const calls = recorder.calls.slice(from);
    const used = new Set(calls.map(({ method }) => method).filter((method) => method.startsWith("fs/")));
    expect([...used]).toEqual(expect.arrayContaining(["fs/writeFile", "fs/createDirectory", "fs/remove"]));
    // With full access it asks for no sandbox, each version in its own words, which is what lets the calls pass.
    const asked = calls.flatMap(({ sandbox }) => sandbox === null ? [] : [sandbox]);
    for (const sandbox of asked) expect(sandbox).toMatchObject({ permissions: { type: "disabled" } });
    expect(asked.length > 0).toBe(version === "0.145.0");
    // It watches for what is missing only where the server says that it can.
    expect(used.has("fs/watchMissing")).toBe(version === "0.169.0");
    expect(recorder.unknown.filter((refusal) => refusal.includes("`fs/"))).toEqual([]);
  }, TIMEOUT_MS);

  test("what AGENTS.md says on the server's disk reaches the model", async () => {
    await using place = await makeTemporaryDirectory();
    await Bun.write(join(place.path, "AGENTS.md"), "These words are for the model: a whale in a teacup.\n");
    const heard = await converse({ binary, serverUrl: recorder.url, workdir: place.path }, function* () {
      yield execCommand("true", { yield_time_ms: 30_000 });
      return "The end";
    });
    expect(heard).toMatchObject({ said: "The end", exitCode: 0 });
    expect(JSON.stringify(heard.requests)).toContain("a whale in a teacup");
  }, TIMEOUT_MS);
}

/** As the model does it: by the name of a command, which the client takes for its own. */
function applyPatch(body: string): ToolCall {
  return execCommand(`apply_patch <<'PATCH'\n*** Begin Patch\n${body}\n*** End Patch\nPATCH`, {
    yield_time_ms: 30_000,
  });
}
