import { expect, test } from "bun:test";
import { join } from "@std/path";
import { directory, shell } from "./file_words.ts";

/** Runs what is in the file `line` on a disk of 200 KiB that only it and its children see. */
const ON_SMALL_DISK = "mkdir disk; unshare --user --map-root-user --mount -- bash -c " +
  `'mount -t tmpfs -o size=200k tmpfs disk && cd disk && . ../line'`;

async function onSmallDisk(line: string) {
  using dir = directory();
  const program = [process.execPath, "--no-env-file", join(import.meta.dir, "../../main.ts")];
  await Bun.write(
    join(dir.path, "line"),
    line.replaceAll("$X", program.map((word) => `'${word}'`).join(" ")),
  );
  return await shell(ON_SMALL_DISK, { cwd: dir.path });
}

const canMount = (await onSmallDisk("true")).status === 0;
if (!canMount) console.warn("Skipped: this machine lets nobody mount a small disk of his own");

/** A server on that disk, which is to copy more there than there is room for. */
const copyThere = (target: string) =>
  `head -c 120000 /dev/zero | tr '\\0' n > new; head -c 60000 /dev/zero | tr '\\0' o > old; chmod 640 old
  exec 4< <(exec $X serve); server=$!; read -r url <&4
  EXEC_SERVER_URL=$url $X cp :"$PWD/new" :"$PWD/${target}"; echo $?
  kill $server; stat -c '%n %s %a' old; tr -d o < old | wc -c; ls`;

test.skipIf(!canMount)("a server whose disk is full keeps what was there, and the hint says so", async () => {
  const { stdout, stderr } = await onSmallDisk(copyThere("old"));
  expect(stdout).toBe("1\nold 60000 640\n0\nnew\nold\n");
  expect(stderr).toContain("No space left on device");
  expect(stderr).toEndWith(
    "Hint: make room there, or name another place; what was under that name is as it was\n",
  );
});

test.skipIf(!canMount)("a server whose disk is full keeps no half of a new file", async () => {
  const { stdout, stderr } = await onSmallDisk(copyThere("none"));
  expect(stdout).toBe("1\nold 60000 640\n0\nnew\nold\n");
  expect(stderr).toEndWith(
    "Hint: make room there, or name another place; nothing was left under that name\n",
  );
});
