import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "@std/path";
import { directory, serve, startShell } from "../cli/file_words.ts";
import { CutProxy } from "../support/cut_proxy.ts";
import { within } from "../support/peer_deadline.ts";
import type { ServerProcess } from "../support/target_process.ts";
import { peakMiB } from "./system_facts.ts";

// Large files and large trees over a line that fails. EXEC_SERVER_LONG=1: 2 GiB and 20,000 files instead of a small part.

const LONG = process.env["EXEC_SERVER_LONG"] === "1";
const MIB = 1024 * 1024;
const SIZE = (LONG ? 2048 : 64) * MIB;
const CUTS = LONG ? 5 : 3;
const FILES = LONG ? 20_000 : 600;
const DEADLINE_MS = LONG ? 600_000 : 60_000;
/** On the wire three bytes are four. */
const CARRIED = 4 / 3;
/** What one cut may cost: blocks that were on their way, and those that are not sure to have arrived. */
const COST = 6 * MIB;
const MOST_MIB = 150;

setDefaultTimeout(DEADLINE_MS + 10_000);

let server: ServerProcess;
let dir: ReturnType<typeof directory>;

beforeAll(async () => {
  dir = directory();
  server = await serve();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  dir[Symbol.dispose]();
});

/** Bytes that no part of is like another; a digest of them. */
function writeLargeFile(path: string): string {
  const hash = new Bun.CryptoHasher("sha256");
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  const piece = Buffer.concat(Array.from({ length: 16 }, () => block));
  const fd = openSync(path, "w");
  for (let at = 0; at < SIZE; at += MIB) {
    for (let part = 0; part < MIB; part += block.length) piece.writeDoubleLE(at + part, part);
    hash.update(piece);
    writeSync(fd, piece);
  }
  closeSync(fd);
  return hash.digest("hex");
}

function digestOf(path: string): string {
  const hash = new Bun.CryptoHasher("sha256");
  const piece = Buffer.alloc(MIB);
  const fd = openSync(path, "r");
  for (let count; (count = readSync(fd, piece)) > 0;) hash.update(piece.subarray(0, count));
  closeSync(fd);
  return hash.digest("hex");
}

const LINES = { toServer: `$X cp big :"$PWD/copy"`, fromServer: `$X cp :"$PWD/big" copy` };

/** What some program somewhere stumbles over. */
const HOSTILE = [
  "new\nline",
  "tab\t",
  "%41",
  "#",
  "?",
  "-dash",
  " ",
  "\\",
  "'\"$(x)`",
  "n".repeat(255),
  "\u{fffd}",
]
  .map((name) => Buffer.from(name))
  .concat(Buffer.from([0xff, 0xfe]), Buffer.from([0x61, 0x80, 0x0a]));

/** A hundred files in each directory; some directories and some files have hostile names. */
function writeTree(top: string): void {
  let made = 0;
  for (let number = 0; made < FILES; number++) {
    const name = HOSTILE[number] ?? Buffer.from(`d${number}`);
    const directory = Buffer.concat([Buffer.from(`${top}/`), name, Buffer.from("/")]);
    mkdirSync(directory, { recursive: true });
    for (let at = 0; at < 100; at++, made++) {
      const file = number === 0 && HOSTILE[at] !== undefined ? HOSTILE[at] : Buffer.from(`f${at}`);
      writeFileSync(Buffer.concat([directory, file]), `${number} ${at}`.repeat(at));
    }
  }
}

test(`a tree of ${FILES} files with hostile names goes there and back as it is`, async () => {
  writeTree(join(dir.path, "tree"));
  const started = performance.now();
  await using child = startShell(`$X cp -r tree :"$PWD/up" && $X cp -r :"$PWD/up" down`, {
    url: server.url,
    cwd: dir.path,
  });
  const [status, stdout, stderr] = await within(
    Promise.all([child.exited, child.stdout.text(), child.stderr.text()]),
    "the end of the copies",
    DEADLINE_MS,
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  console.log(`${FILES} files there and back: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const facts = `facts() { (cd "$1" && find . -printf '%m %s %Ts %P\\0' | sort -z | sha256sum); }
    facts tree; facts up; facts down; diff -r tree up && diff -r tree down && echo same
    rm -r tree up down`;
  await using look = startShell(facts, { cwd: dir.path });
  const [tree, up, down, same] = (await within(look.stdout.text(), "the comparison", DEADLINE_MS)).split(
    "\n",
  );
  expect([up, down, same]).toEqual([tree, tree, "same"]);
});

describe("a large file over a line that is cut again and again", () => {
  let digest: string;
  beforeAll(() => {
    digest = writeLargeFile(join(dir.path, "big"));
  });

  afterAll(() => rmSync(join(dir.path, "big")));

  test.each(["toServer", "fromServer"] as const)(
    "arrives whole, hardly a byte twice, in little memory (%s)",
    async (way) => {
      await using proxy = await CutProxy.to(server.url);
      const each = SIZE * CARRIED / (CUTS + 1);
      proxy.onCarried = () => {
        if (proxy.cuts < CUTS && proxy.carried[way] > each * (proxy.cuts + 1)) proxy.cut();
      };
      await using child = startShell(`exec ${LINES[way]}`, { url: proxy.url, cwd: dir.path });
      const peaks = watchPeak(child.pid);
      const status = await within(child.exited, "the end of the copy", DEADLINE_MS);
      const stderr = await child.stderr.text();
      expect({ status, cuts: proxy.cuts, stderr: status === 0 ? "" : stderr }).toEqual({
        status: 0,
        cuts: CUTS,
        stderr: "",
      });
      expect(statSync(join(dir.path, "copy")).size).toBe(SIZE);
      expect(digestOf(join(dir.path, "copy"))).toBe(digest);
      expect(dir.names()).toEqual(["big", "copy"]);
      rmSync(join(dir.path, "copy"));
      expect(proxy.carried[way]).toBeLessThan((SIZE + CUTS * COST) * CARRIED * 1.02);
      const [client, far] = [peaks(), peakMiB(server.pid)];
      console.log(`${way}: client ${client.toFixed(0)} MiB, server ${far.toFixed(0)} MiB at most`);
      expect(Math.max(client, far)).toBeLessThan(MOST_MIB);
    },
  );
});

/** The most memory that a process was seen to hold; the kernel forgets it when the process ends. */
function watchPeak(pid: number): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, peakMiB(pid));
    } catch {
      clearInterval(timer); // it has ended
    }
  }, 50);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
