import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ServerProcess } from "../support/target_process.ts";
import { directory, serve, shell } from "./file_words.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await serve();
});

afterAll(() => server[Symbol.asyncDispose]());

const LOST = "exec-server: modes stay behind, the server has no word for them: ";

test("an upload says once how many modes are lost that matter", async () => {
  using dir = directory();
  await shell(
    "mkdir -m 755 t; mkdir -m 700 t/own; for f in a b own/c; do echo x > t/$f; done; chmod 600 t/a; chmod 755 t/b; chmod 644 t/own/c",
    { cwd: dir.path },
  );
  const options = { url: server.url, cwd: dir.path };
  expect(await shell(`$X cp -r t :"$PWD/up"`, options)).toEqual({
    status: 0,
    stdout: "",
    stderr: `${LOST}others may be able to read 2 that they cannot read here, 1 no longer executable\n`,
  });
  // What is there keeps the mode that it has.
  expect(await shell(`$X cp -r t/. :"$PWD/up"`, options)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect((await shell(`$X cp -q t/a :"$PWD/quiet"`, options)).stderr).toBe("");
});

test("an upload of what anybody may read, and every download, says nothing of modes", async () => {
  using dir = directory();
  await shell("echo x > f; echo x > p; chmod 644 f; chmod 600 p", { cwd: dir.path });
  const line = `$X cp f :"$PWD/up" && $X cp :"$PWD/p" down && $X cp --host local p again`;
  expect(await shell(line, { cwd: dir.path, url: server.url })).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
  });
});
