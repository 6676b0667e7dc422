import { describe, expect, test } from "bun:test";
import { binary } from "./binary.ts";

/** Starts `serve` by way of a shell, which can do to a program what nobody does on purpose. */
function shell(script: string) {
  return Bun.spawn(["/bin/sh", "-c", script], {
    env: { ...process.env, SERVER: BINARY },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

const BINARY = await binary();

async function ends(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  await using child = shell(script);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

describe("serve", () => {
  test("ends when nobody can be told where it listens", async () => {
    for (const script of ["exec $SERVER serve >/dev/full", "{ $SERVER serve; echo $? >&2; } | true"]) {
      const { stdout, stderr, code } = await ends(script);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^Error: Cannot print the URL: .+\n/);
      expect(script.startsWith("exec") ? code : Number(stderr.trim().at(-1))).toBe(1);
    }
  });

  test("takes no word, and no value for a switch", async () => {
    for (const given of ["word", "--insecure-no-auth=no", "--insecure-no-auth=0"]) {
      const { stdout, stderr, code } = await ends(`exec $SERVER serve --listen ws://0.0.0.0:0 ${given}`);
      expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
      expect(stderr).toMatch(/^exec-server: .+\nHint: see `exec-server help serve`\n$/);
    }
  });

  test("refuses an open door, with a hint", async () => {
    const { stdout, stderr, code } = await ends("exec $SERVER serve --listen ws://0.0.0.0:0");
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
    expect(stderr).toMatch(
      /^exec-server: refusing to listen on 0\.0\.0\.0 without .+\nHint: .+token new.+\n$/,
    );
  });

  test("says what is wrong with a place or a size of the spool", async () => {
    const place = await ends("exec $SERVER serve --spool-dir /dev/null/spool");
    expect(place).toEqual({
      code: 1,
      stdout: "",
      stderr: "exec-server: Cannot use /dev/null/spool for the spool: Not a directory (os error 20)\n" +
        "Hint: name another --spool-dir, or use --spool-max 0 to do without\n",
    });
    for (const size of ["much", "1x", "1e3", ""]) {
      const { code, stderr } = await ends(`exec $SERVER serve --spool-max '${size}'`);
      expect(code).toBe(2);
      expect(stderr).toContain(`option --spool-max takes a size such as 512MiB or 1GiB, not "${size}"`);
    }
  });

  test("says shortly what is wrong with something long", async () => {
    const { stderr, code } = await ends("exec $SERVER $(head -c 100000 /dev/zero | tr '\\0' x)");
    expect(code).toBe(2);
    expect(stderr.length).toBeLessThan(3_000);
  });
});

describe("token new", () => {
  test("makes a token that serve takes, once", async () => {
    const file = `/tmp/exec-server-token-${crypto.randomUUID()}`;
    const script = `trap 'rm -f ${file}' EXIT; umask 0; $SERVER token new ${file}; stat -c %a ${file};` +
      ` $SERVER token new ${file}; echo $?`;
    const { stdout, stderr } = await ends(script);
    expect(stdout).toMatch(/^Wrote a new token to .+--ws-token-file.+\n600\n1\n$/s);
    expect(stderr).toMatch(/^exec-server: Cannot create token file .+ already exists.+\nHint: .+\n$/);
  });
});
