import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Peer } from "../support/peer.ts";
import { binary } from "./binary.ts";

const MARKER = "preload-was-here";

let directory: string;
let program: string;

/** A checkout that tries to get its code and its words into whatever is started in it. */
beforeAll(async () => {
  program = await binary();
  directory = await mkdtemp(join(tmpdir(), "exec-server-hostile-"));
  const preload = `require("node:fs").writeFileSync(${JSON.stringify(join(directory, MARKER))}, "");`;
  const files = {
    ".env": `HOSTILE_WORD=heard\nEXEC_SERVER_URL=ws://127.0.0.1:9\nPATH=${directory}\n`,
    "bunfig.toml": `preload = ["./preload.cjs"]\n`,
    "preload.cjs": preload,
    "package.json": `{ "type": "commonjs", "imports": { "#main": "./preload.cjs" } }`,
    "tsconfig.json": `{ "compilerOptions": { "paths": { "*": ["./preload.cjs"] } } }`,
  };
  for (const [name, text] of Object.entries(files)) await Bun.write(join(directory, name), text);
}, 60_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

const wasHere = () => existsSync(join(directory, MARKER));

function start(command: string[]) {
  return Bun.spawn(command, { cwd: directory, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
}

describe("a hostile directory", () => {
  test("is one: a plain Bun runs its code and reads its words", async () => {
    await using bun = start([process.execPath, "-e", "console.log(process.env.HOSTILE_WORD)"]);
    expect(await bun.stdout.text()).toBe("heard\n");
    expect(wasHere()).toBe(true);
    await rm(join(directory, MARKER));
  });

  test("changes nothing about `version`", async () => {
    await using child = start([program, "version"]);
    expect(await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]))
      .toEqual([expect.stringMatching(/^exec-server \d+\.\d+\.\d+\n$/), "", 0]);
    expect(wasHere()).toBe(false);
  });

  test("says nothing to the processes of `serve`", async () => {
    await using server = start([program, "serve"]);
    const url = await firstLine(server.stdout);
    await using peer = await Peer.ready(url);
    const { stdout } = await peer.run({
      argv: ["/usr/bin/env"],
      envPolicy: { inherit: "all", ignoreDefaultExcludes: true, exclude: [], set: {}, includeOnly: [] },
      env: {},
    });
    expect(stdout).toContain(`PATH=${process.env.PATH}\n`);
    expect(stdout).not.toContain("HOSTILE_WORD");
    expect(stdout).not.toContain("EXEC_SERVER_URL");
    expect(wasHere()).toBe(false);
  });
});

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}
