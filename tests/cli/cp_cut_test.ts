import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "@std/path";
import { CutProxy } from "../support/cut_proxy.ts";
import { within } from "../support/peer_deadline.ts";
import type { ServerProcess } from "../support/target_process.ts";
import { directory, serve, serveCodex, shell, startShell } from "./file_words.ts";

const MIB = 1024 * 1024;
/** On the wire three bytes are four. */
const CARRIED = 4 / 3;
const PATIENT = 30_000;

let ours: ServerProcess;
let other: ServerProcess;
let codex: ServerProcess | null;

beforeAll(async () => {
  [ours, other, codex] = await Promise.all([serve(), serve(), serveCodex()]);
});

afterAll(async () => {
  for (const server of [ours, other, codex]) await server?.[Symbol.asyncDispose]();
});

const pieces = Array.from({ length: 24 }, () => crypto.getRandomValues(new Uint8Array(65_536)));
const BYTES = Buffer.concat(Array.from({ length: 16 }, () => Buffer.concat(pieces))); // 24 MiB

const WAYS = ["toServer", "fromServer"] as const;
const LINES = { toServer: `$X cp big :"$PWD/copy"`, fromServer: `$X cp :"$PWD/big" copy` };

/** Cuts the line each time that so many more bytes have come this way. */
function cutEach(proxy: CutProxy, way: "toServer" | "fromServer", bytes: number, times: number): void {
  let next = bytes;
  proxy.onCarried = () => {
    if (proxy.cuts >= times || proxy.carried[way] < next) return;
    next = proxy.carried[way] + bytes;
    proxy.cut();
  };
}

describe.each(["our server", "the real server"] as const)("a copy over a line to %s that is cut", (place) => {
  const url = () => place === "our server" ? ours.url : codex?.url;

  test("five times downloads every byte, and hardly any of them twice", async () => {
    const server = url();
    if (server === undefined) return;
    using dir = directory();
    await using proxy = await CutProxy.to(server);
    await Bun.write(join(dir.path, "big"), BYTES);
    cutEach(proxy, "fromServer", 4 * MIB, 5);
    const { status, stderr } = await shell(`$X cp :"$PWD/big" down && cmp big down`, {
      url: proxy.url,
      cwd: dir.path,
    });
    expect({ status, cuts: proxy.cuts }).toEqual({ status: 0, cuts: 5 });
    expect(stderr).toContain("connection lost, reconnecting");
    // What was on its way at each cut comes again: four blocks at most.
    expect(proxy.carried.fromServer).toBeLessThan((24 + 5 * 4 + 2) * MIB * CARRIED);
    expect(dir.names()).toEqual(["big", "down"]);
  }, PATIENT);

  test("uploads: ours goes on where it was, the real one begins again, and that is said", async () => {
    const server = url();
    if (server === undefined) return;
    const isOurs = place === "our server";
    using dir = directory();
    await using proxy = await CutProxy.to(server);
    await Bun.write(join(dir.path, "big"), BYTES);
    cutEach(proxy, "toServer", 6 * MIB, 2);
    const { status, stderr } = await shell(`$X cp big :"$PWD/up" && cmp big up`, {
      url: proxy.url,
      cwd: dir.path,
    });
    expect({ status, cuts: proxy.cuts }).toEqual({ status: 0, cuts: 2 });
    expect(stderr).toMatch(
      isOurs
        ? /big: going on after \d+ bytes that are there already/
        : /the server cannot go on with a file, so this one starts again/,
    );
    // What is not sure to be there comes again: three blocks, and what was on its way.
    if (isOurs) expect(proxy.carried.toServer).toBeLessThan((24 + 2 * 6) * MIB * CARRIED);
    expect(dir.names()).toEqual(["big", "up"]);
  }, PATIENT);
});

describe("a copy whose connection is gone for good", () => {
  test.each(WAYS)("ends with 255 and no file, and the next one goes on where it was (%s)", async (way) => {
    using dir = directory();
    await using proxy = await CutProxy.to(ours.url);
    await Bun.write(join(dir.path, "big"), BYTES);
    proxy.onCarried = () => {
      if (proxy.cuts > 0 || proxy.carried[way] < 8 * MIB) return;
      proxy.leadTo(other.url); // which knows nothing of the session
      proxy.cut();
    };
    const line = LINES[way];
    const lost = await shell(line, { url: proxy.url, cwd: dir.path });
    expect(lost.status).toBe(255);
    expect(lost.stderr).toMatch(
      /big: \d+ bytes stay in .*\.part; the same copy goes on after them\nexec-server: cannot copy .*big: .*\nHint: .*\n$/,
    );
    expect(dir.names().filter((name) => !name.startsWith("."))).toEqual(["big"]);

    const before = proxy.carried[way];
    const { status, stderr } = await shell(line, { url: proxy.url, cwd: dir.path });
    expect(status).toBe(0);
    expect(stderr).toMatch(/going on after \d+ bytes that are there already/);
    expect(proxy.carried[way] - before).toBeLessThan(22 * MIB * CARRIED);
    expect(BYTES.equals(await Bun.file(join(dir.path, "copy")).bytes())).toBe(true);
    expect(dir.names()).toEqual(["big", "copy"]);
  }, PATIENT);

  test("does not go on with the half of another file, and removes it", async () => {
    using dir = directory();
    await using proxy = await CutProxy.to(ours.url);
    await Bun.write(join(dir.path, "big"), BYTES);
    proxy.onCarried = () => {
      if (proxy.cuts > 0 || proxy.carried.fromServer < 8 * MIB) return;
      proxy.leadTo(other.url);
      proxy.cut();
    };
    const line = `$X cp :"$PWD/big" down`;
    expect((await shell(line, { url: proxy.url, cwd: dir.path })).status).toBe(255);
    const changed = BYTES.toReversed();
    await shell("rm big", { cwd: dir.path });
    await Bun.write(join(dir.path, "big"), changed);
    expect((await shell(line, { url: proxy.url, cwd: dir.path })).status).toBe(0);
    expect(Buffer.compare(changed, await Bun.file(join(dir.path, "down")).bytes())).toBe(0);
    expect(dir.names()).toEqual(["big", "down"]);
  }, PATIENT);

  test("refuses to join the halves of a file that changed meanwhile", async () => {
    using dir = directory();
    await using proxy = await CutProxy.to(ours.url);
    await Bun.write(join(dir.path, "big"), BYTES);
    proxy.onCarried = () => {
      if (proxy.cuts > 0 || proxy.carried.fromServer < 8 * MIB) return;
      Bun.spawnSync(["truncate", "-s", "+1", join(dir.path, "big")]);
      proxy.cut();
    };
    const { status, stderr } = await shell(`$X cp :"$PWD/big" down`, { url: proxy.url, cwd: dir.path });
    expect(status).toBe(1);
    expect(stderr).toContain("it changed while it was copied");
    expect(dir.names()).toEqual(["big"]);
  }, PATIENT);

  test("is told of an input that cannot be given twice", async () => {
    using dir = directory();
    await using proxy = await CutProxy.to(ours.url);
    await Bun.write(join(dir.path, "big"), BYTES);
    cutEach(proxy, "toServer", 6 * MIB, 1);
    const { status } = await shell(`cat big | $X cp - :"$PWD/up"`, { url: proxy.url, cwd: dir.path });
    expect(status).toBe(255);
    expect(dir.names()).toEqual(["big"]);
  }, PATIENT);
});

test.each(WAYS)(
  "a copy whose source is rewritten meanwhile (%s) is no mixture of both",
  async (way) => {
    using dir = directory();
    await using proxy = await CutProxy.to(ours.url);
    await Bun.write(join(dir.path, "big"), BYTES);
    let isRewritten = false;
    proxy.onCarried = () => {
      if (isRewritten || proxy.carried[way] < 8 * MIB) return;
      isRewritten = true;
      writeFileSync(join(dir.path, "big"), BYTES.toReversed());
    };
    const { status, stderr } = await shell(LINES[way], { url: proxy.url, cwd: dir.path });
    expect({ status, isRewritten }).toEqual({ status: 1, isRewritten: true });
    expect(stderr).toContain("it changed while it was copied");
    expect(dir.names()).toEqual(["big"]);
  },
  PATIENT,
);

test.each([["SIGTERM", 143], ["SIGINT", 130]] as const)(
  "a copy that %s ends leaves nothing behind",
  async (signal, status) => {
    using dir = directory();
    // The word `exec` makes the shell's place the program's.
    await using child = startShell(
      `exec 3<>pipe; exec $X cp /dev/fd/3 to`.replace("exec 3", "mkfifo pipe; exec 3"),
      { cwd: dir.path },
    );
    while (!dir.names().some((name) => name.endsWith(".part"))) await Bun.sleep(10);
    child.kill(signal);
    expect(await child.exited).toBe(status);
    expect(dir.names()).toEqual(["pipe"]);
  },
);

/** Changes a byte of the file, and nobody can tell by its size and time. */
const CHANGE_IN_PLACE =
  `touch -r big time; printf X | dd of=big conv=notrunc status=none; touch -r time big; rm time`;

/** Ends a copy in the middle; resolves with what it said. The word `exec` makes the shell's place the program's. */
async function endInTheMiddle(
  line: string,
  way: keyof CutProxy["carried"],
  proxy: CutProxy,
  cwd: string,
  signal: NodeJS.Signals,
  isStalled: boolean,
): Promise<{ status: number; stderr: string }> {
  const middle = Promise.withResolvers<void>();
  proxy.onCarried = () => {
    if (proxy.carried[way] < 12 * MIB) return;
    proxy.onCarried = () => {};
    if (isStalled) proxy.stall();
    middle.resolve();
  };
  await using child = startShell(`exec ${line}`, { url: proxy.url, cwd });
  await within(middle.promise, "the middle of the copy");
  child.kill(signal);
  const [stderr, status] = await within(Promise.all([child.stderr.text(), child.exited]), "its end");
  return { status, stderr };
}

describe.each(WAYS)("a copy that is ended in the middle (%s)", (way) => {
  test.each([["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129], ["SIGKILL", 137]] as const)(
    "by %s goes on where it was when it is run again",
    async (signal, expected) => {
      using dir = directory();
      await using proxy = await CutProxy.to(ours.url);
      await Bun.write(join(dir.path, "big"), BYTES);
      const { status, stderr } = await endInTheMiddle(LINES[way], way, proxy, dir.path, signal, true);
      expect(status).toBe(expected);
      if (signal === "SIGKILL") expect(stderr).toBe("");
      else {
        expect(stderr).toMatch(
          /^exec-server: .*big: \d+ bytes stay in .*\.part; the same copy goes on after them\n$/,
        );
      }
      const before = proxy.carried[way];
      const again = await shell(LINES[way], { url: proxy.url, cwd: dir.path });
      expect(again.status).toBe(0);
      expect(again.stderr).toContain("bytes that are there already");
      expect(proxy.carried[way] - before).toBeLessThan(20 * MIB * CARRIED);
      expect(BYTES.equals(await Bun.file(join(dir.path, "copy")).bytes())).toBe(true);
      expect(dir.names()).toEqual(["big", "copy"]);
    },
    PATIENT,
  );
});

test("an upload to the real server that a signal ends leaves nothing there", async () => {
  if (codex === null) return;
  using dir = directory();
  await using proxy = await CutProxy.to(codex.url);
  await Bun.write(join(dir.path, "big"), BYTES);
  proxy.delay(50); // else it could be whole before the signal comes
  const { status, stderr } = await endInTheMiddle(
    LINES.toServer,
    "toServer",
    proxy,
    dir.path,
    "SIGINT",
    false,
  );
  expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
  expect(dir.names()).toEqual(["big"]);
}, PATIENT);

test("an upload to the real server that is killed leaves nothing there once it was run again", async () => {
  if (codex === null) return;
  using dir = directory();
  await using proxy = await CutProxy.to(codex.url);
  await Bun.write(join(dir.path, "big"), BYTES);
  await endInTheMiddle(LINES.toServer, "toServer", proxy, dir.path, "SIGKILL", true);
  expect(dir.names()).toEqual([expect.stringMatching(/^\.exec-server-.*\.part$/), "big"]);
  const again = await shell(`${LINES.toServer} && cmp big copy`, { url: codex.url, cwd: dir.path });
  expect(again).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(dir.names()).toEqual(["big", "copy"]);
}, PATIENT);

test.each(WAYS)(
  "a copy goes on with no half of what was changed in place, its time set back (%s)",
  async (way) => {
    using dir = directory();
    await using proxy = await CutProxy.to(ours.url);
    await Bun.write(join(dir.path, "big"), BYTES);
    await endInTheMiddle(LINES[way], way, proxy, dir.path, "SIGKILL", true);
    const line = `${CHANGE_IN_PLACE}; ${LINES[way]} && cmp big copy`;
    expect(await shell(line, { url: proxy.url, cwd: dir.path })).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(dir.names()).toEqual(["big", "copy"]);
  },
  PATIENT,
);

test.each([["same", "true"], ["changed", CHANGE_IN_PLACE]])(
  "a copy from the real server, which tells of no last change, looks at what was kept: %s",
  async (what, change) => {
    if (codex === null) return;
    using dir = directory();
    await using proxy = await CutProxy.to(codex.url);
    await Bun.write(join(dir.path, "big"), BYTES);
    await endInTheMiddle(LINES.fromServer, "fromServer", proxy, dir.path, "SIGKILL", true);
    const line = `${change}; ${LINES.fromServer} && cmp big copy`;
    const { status, stderr } = await shell(line, { url: proxy.url, cwd: dir.path });
    expect({ status, goesOn: stderr.includes("going on after") }).toEqual({
      status: 0,
      goesOn: what === "same",
    });
    expect(dir.names()).toEqual(["big", "copy"]);
  },
  PATIENT,
);
