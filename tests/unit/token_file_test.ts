import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTokenFile } from "../../lib/server/token_file.ts";

describe("createTokenFile()", () => {
  test("writes 32 fresh bytes that only the owner can read, and tells their digest", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "token");
    const created = await createTokenFile(file);
    const text = await readFile(file, "utf8");
    expect(text).toMatch(/^[\w-]{43}\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(created).toEqual({ path: file, sha256: createHash("sha256").update(text.trim()).digest("hex") });
    const other = await createTokenFile(join(directory.path, "other"));
    expect(other.sha256).not.toBe(created.sha256);
  });

  test("never overwrites, not even through a link", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "token");
    const link = join(directory.path, "link");
    await writeFile(file, "old");
    await symlink(join(directory.path, "not there yet"), link);
    for (const path of [file, link]) {
      await expect(createTokenFile(path)).rejects.toMatchObject({
        code: "secret",
        message: `Cannot create token file ${path}: it already exists, and a token is never overwritten`,
      });
    }
    expect(await readFile(file, "utf8")).toBe("old");
  });

  test("says why a file cannot be made", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "missing", "token");
    await expect(createTokenFile(file)).rejects.toThrow(
      `Cannot create token file ${file}: No such file or directory (os error 2)`,
    );
  });
});

async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "token-file-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
