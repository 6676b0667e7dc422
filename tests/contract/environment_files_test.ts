import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { ALL_CAPABILITIES, NO_ENVIRONMENT } from "../../lib/environment/environment.ts";
import { EnvironmentError } from "../../lib/environment/environment_error.ts";
import { LocalEnvironment } from "../../lib/environment/local_environment.ts";
import { RemoteEnvironment } from "../../lib/environment/remote_environment.ts";
import { readBlocks, writeBlocks } from "../../lib/fs/file_blocks.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { environmentTargets } from "../support/environment_targets.ts";
import { ScriptedClient, ScriptedConnect, settle } from "../support/scripted_client.ts";
import { OK, webServer } from "../support/web_server.ts";

const never = new AbortController().signal;

async function refusal(doing: () => unknown): Promise<string> {
  try {
    await doing();
  } catch (error) {
    if (error instanceof EnvironmentError) return error.message;
    throw error;
  }
  throw new Error("It was not refused");
}

for (const { name, open } of environmentTargets) {
  describe(`an environment, ${name}`, () => {
    test("has files, whole and in blocks", async () => {
      await using target = await open();
      const path = mkdtempSync(join(tmpdir(), "environment-files-"));
      try {
        const files = target.environment.fileSystem();
        await files.createDirectory(`${path}/a/b`, { recursive: true });
        await files.writeFile(`${path}/a/b/c`, Buffer.from("whole"));
        const written = await files.open(`${path}/a/d`, "replace");
        expect(await writeBlocks(written, [Buffer.from("in "), Buffer.from("blocks")])).toBe(9);
        await written.close();
        await files.copy(`${path}/a`, `${path}/e`, { recursive: true });
        expect(Buffer.from(await files.readFile(`${path}/e/b/c`)).toString()).toBe("whole");
        const read = await files.open(`${path}/e/d`, "read");
        const blocks = await Array.fromAsync(readBlocks(read));
        await read.close();
        expect(Buffer.concat(blocks).toString()).toBe("in blocks");
        expect(await files.getMetadata(`${path}/e/d`)).toMatchObject({ isFile: true, size: 9 });
        expect((await files.readDirectory(`${path}/e`)).map((entry) => entry.name).sort()).toEqual([
          "b",
          "d",
        ]);
        await files.remove(`${path}/e`, { recursive: true, force: false });
        const gone = await Promise.resolve(files.canonicalize(`${path}/e`)).catch((error: unknown) => error);
        expect(gone).toBeInstanceOf(FsError);
        expect(gone).toMatchObject({ code: "system", errno: "ENOENT" });
      } finally {
        rmSync(path, { recursive: true, force: true });
      }
    });

    test("makes requests", async () => {
      await using web = await webServer(() => OK);
      await using target = await open();
      const request = { method: "GET", url: web.url, headers: [], body: new Uint8Array() };
      const { status, body } = await target.environment.http().send(
        { ...request, timeoutMs: null, redirects: "follow" },
        never,
      );
      expect([status, Buffer.from((await body.take(100))!).toString()]).toEqual([200, "ok"]);
      expect(await body.take(100)).toBeNull();
    });
  });
}

describe("the files of an environment", () => {
  const capabilities = { ...ALL_CAPABILITIES, filesystemEnabled: false };

  test("are not to be had where they are not to be touched", async () => {
    await using local = new LocalEnvironment(capabilities);
    const { connect, attempts } = new ScriptedConnect();
    await using remote = new RemoteEnvironment({ id: "remote", connect, failures: "retried", capabilities });
    expect(await refusal(() => local.fileSystem())).toBe(NO_ENVIRONMENT);
    expect(await refusal(() => remote.fileSystem())).toBe(NO_ENVIRONMENT);
    expect(attempts).toHaveLength(0);
  });

  test("seen without reconnecting fail at once and never connect", async () => {
    const { connect, attempts } = new ScriptedConnect();
    await using remote = new RemoteEnvironment({ id: "remote", connect, failures: "retried" });
    const files = remote.fileSystem({ reconnect: false });
    const see = () => files.getMetadata("/");
    expect(await refusal(see)).toBe("exec-server environment is not ready");
    await settle();
    expect(attempts).toHaveLength(0);

    const used = remote.fileSystem().getMetadata("/");
    await settle();
    expect(await refusal(see)).toBe("exec-server environment is not ready");
    const client = attempts[0]!.succeed(new ScriptedClient());
    expect(await used).toMatchObject({ isDirectory: true });
    expect(await see()).toMatchObject({ isDirectory: true });

    client.move({ state: "recovering", attempt: 1, cause: "cut" });
    expect(await refusal(see)).toBe("exec-server environment is recovering");
    client.move({ state: "failed", message: "gone for good" });
    expect(await refusal(see)).toBe("gone for good");
    await settle();
    expect(attempts).toHaveLength(1);
  });

  test("use a new connection when the one before has failed", async () => {
    const { connect, attempts } = new ScriptedConnect();
    await using remote = new RemoteEnvironment({ id: "remote", connect, failures: "retried" });
    const files = remote.fileSystem();
    for (const attempt of [0, 1]) {
      const asked = files.getMetadata("/");
      await settle();
      const client = attempts[attempt]!.succeed(new ScriptedClient());
      expect(await asked).toMatchObject({ isDirectory: true });
      client.move({ state: "failed", message: "gone for good" });
    }
  });

  test("cost a command nothing that only runs here", async () => {
    const script = `
      const { LocalEnvironment } = await import("./lib/environment/local_environment.ts");
      await using environment = new LocalEnvironment();
      const files = environment.fileSystem();
      const loaded = () => Object.keys(require.cache).filter((path) => /lib\\/(?:fs|http)\\/local/.test(path)).length;
      const before = loaded();
      await files.getMetadata("/");
      console.log(before, loaded() > 0);
    `;
    const root = join(import.meta.dir, "../..");
    await using child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], {
      cwd: root,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    expect(await child.stdout.text()).toBe("0 true\n");
  });
});
