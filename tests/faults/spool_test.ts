import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "@std/path";
import { dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import { CutProxy } from "../support/cut_proxy.ts";
import { Followed, startOptions } from "../support/follow.ts";
import { Peer } from "../support/peer.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { type Chunk, eventsOf } from "../support/peer_outcome.ts";
import { resume } from "../support/peer_resume.ts";
import { isAlive } from "../support/peer_system.ts";
import { filesIn, spoolRoot } from "../support/spools.ts";
import type { ServerProcess } from "../support/target_process.ts";
import { spawnOurs } from "./spawned_server.ts";
import { descriptorsOf, peakMiB, residentMiB, untilSteady } from "./system_facts.ts";

// What is printed while nobody is there is there for whoever comes back. EXEC_SERVER_LONG=1 prints 100 MB instead of 20.

const isLong = process.env["EXEC_SERVER_LONG"] === "1";
const LAST = isLong ? 12_300_000 : 2_650_000;
const MANY = isLong ? 2_000 : 400;
setDefaultTimeout(60_000);

/** A server of its own with its spools in a place of their own. */
async function serverWithSpools(flags: string[] = []) {
  const root = await spoolRoot();
  const server = await spawnOurs(["--spool-dir", root, ...flags]);
  return {
    server,
    root,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const SCRIPT = `echo pid=$$.; read go; seq 1 ${LAST}; exit 3`;
const expected = (() => {
  const hash = new Bun.CryptoHasher("sha256");
  for (let from = 1; from <= LAST; from += 10_000) {
    hash.update(
      Array.from({ length: Math.min(10_000, LAST - from + 1) }, (_, n) => `${from + n}\n`).join(""),
    );
  }
  return hash.digest("hex");
})();

/** The digest of what was printed, but for its first line. */
function digestOf(chunks: readonly Chunk[]): string {
  const hash = new Bun.CryptoHasher("sha256");
  let isFirst = true;
  for (const { chunk } of chunks) {
    const bytes = Buffer.from(chunk, "base64");
    hash.update(isFirst ? bytes.subarray(bytes.indexOf("\n") + 1) : bytes);
    isFirst = false;
  }
  return hash.digest("hex");
}

/** A session whose process printed everything while nobody was attached. */
async function afterwards(server: ServerProcess): Promise<{ sessionId: string; processId: string }> {
  const peer = await Peer.connect(server.url);
  const { sessionId } = await peer.initialize();
  const processId = await peer.shell(SCRIPT, { pipeStdin: true });
  const pid = Number((await peer.outputWith(processId, ".")).match(/pid=(\d+)/)?.[1]);
  expect(await peer.write(processId, "\n", "1")).toBe("accepted");
  await peer.hangUp();
  await untilTrue(() => !isAlive(pid), "the end of a child that nobody holds");
  return { sessionId, processId };
}

/** Page by page, until a page says that there is no more. */
async function readAll(peer: Peer, processId: string, maxBytes: number): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (let cursor = 0;;) {
    const page = await peer.read(processId, { afterSeq: cursor, maxBytes, waitMs: 5_000 });
    chunks.push(...page.chunks);
    cursor = page.nextSeq - 1;
    if (page.closed && page.chunks.length === 0) return chunks;
  }
}

test("whoever pages through it gets every byte that was printed meanwhile, with its number", async () => {
  await using at = await serverWithSpools();
  const { sessionId, processId } = await afterwards(at.server);
  await using back = await resume(at.server.url, sessionId);
  const chunks = await readAll(back, processId, 1024 * 1024);
  expect(digestOf(chunks)).toBe(expected);
  expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map((_, index) => index + 1));
  // From anywhere, and again.
  const middle = chunks[Math.floor(chunks.length / 2)]!.seq;
  const { chunks: [next] } = await back.read(processId, { afterSeq: middle, maxBytes: 1 });
  expect(next).toEqual(chunks[middle]);
});

test("whoever asks for all is given what fits, and is then told the rest as if it had never been away", async () => {
  await using at = await serverWithSpools();
  const { sessionId, processId } = await afterwards(at.server);
  await using back = await resume(at.server.url, sessionId);
  const page = await back.read(processId, { afterSeq: 1 });
  expect(page).toMatchObject({ exited: false, exitCode: null, closed: false });
  const told = () => eventsOf(back.messages, processId);
  await back.waitUntil(() => told().at(-1)?.method === "process/closed", "the end");
  const seqs = [...page.chunks.map(({ seq }) => seq), ...told().map(({ params }) => params?.seq as number)];
  expect(page.nextSeq).toBe(page.chunks.at(-1)!.seq + 1);
  expect(seqs).toEqual(seqs.map((_, index) => index + 2));
  expect(told().at(-2)?.params).toMatchObject({ exitCode: 3 });
});

test("whoever does not ask is told of what happens after its return, and not of what was before", async () => {
  await using at = await serverWithSpools();
  const peer = await Peer.connect(at.server.url);
  const { sessionId } = await peer.initialize();
  const processId = await peer.shell("seq 1 400000; echo ready.; read go; echo $go", { pipeStdin: true });
  await peer.outputWith(processId, "ready.");
  await peer.hangUp();
  await using back = await resume(at.server.url, sessionId);
  expect(await back.write(processId, "again\n", "1")).toBe("accepted");
  expect(await back.outputWith(processId, "again")).toBe("again\n");
});

for (const extensions of [undefined, [] as const]) {
  const who = extensions === undefined ? "our client" : "our client, as Codex's would be";
  test(`${who} is given every byte that was printed while it was away, and the exit code`, async () => {
    await using at = await serverWithSpools();
    await using proxy = await CutProxy.to(at.server.url);
    await using client = await RemoteClient.connect({
      dial: dialWebSocket({ url: proxy.url }),
      clientName: "faults",
      reconnects: true,
      ...(extensions === undefined ? {} : { extensions }),
    });
    const hash = new Bun.CryptoHasher("sha256");
    let text = "";
    const handle = await client.backend.start(startOptions(["/bin/sh", "-c", SCRIPT], { pipeStdin: true }));
    const process = new Followed(handle, (_, bytes) => {
      if (text.endsWith("\n")) hash.update(bytes);
      else text += Buffer.from(bytes).toString();
    });
    await untilTrue(() => text.endsWith("\n"), "the first line");
    expect(await handle.write(Buffer.from("\n"), "1")).toBe("accepted");
    proxy.isOpen = false;
    proxy.cut();
    const pid = Number(text.match(/pid=(\d+)/)?.[1]);
    await untilTrue(() => !isAlive(pid), "the end of a child that nobody holds");
    proxy.isOpen = true;
    expect(await process.end(30_000)).toEqual({ exitCode: 3 });
    // What came with the first line is the only thing that may be missing from the digest.
    expect(text).toBe(`pid=${pid}.\n`);
    expect(hash.digest("hex")).toBe(expected);
  });
}

test("what is above the limit is gone, and whoever comes back sees it by the numbers", async () => {
  await using at = await serverWithSpools(["--spool-max", "4MiB"]);
  const { sessionId, processId } = await afterwards(at.server);
  await using back = await resume(at.server.url, sessionId);
  // The child is gone, and its last words are still being put away: what is oldest goes for them, before a reader or after.
  await untilSteady(() => Math.max(0, ...filesIn(at.root).map((path) => Number(path.split(".").at(-1)))));
  const chunks = await readAll(back, processId, 1024 * 1024);
  expect(chunks[0]!.seq).toBeGreaterThan(2);
  expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map((_, index) => chunks[0]!.seq + index));
  const bytes = chunks.reduce((sum, { chunk }) => sum + Buffer.byteLength(chunk, "base64"), 0);
  expect(bytes).toBeGreaterThan(3 * 2 ** 20);
});

test("a server that is killed leaves litter, which the next one removes, and one that ends leaves none", async () => {
  const root = await spoolRoot();
  try {
    const first = await spawnOurs(["--spool-dir", root]);
    await afterwards(first);
    const [litter] = readdirSync(root);
    expect(filesIn(join(root, litter!)).length).toBeGreaterThan(0);
    process.kill(first.pid, "SIGKILL");
    await untilTrue(() => !isAlive(first.pid), "the end of the server");
    expect(existsSync(join(root, litter!))).toBe(true);
    await using second = await spawnOurs(["--spool-dir", root]);
    await untilTrue(() => !existsSync(join(root, litter!)), "the end of the litter");
    await afterwards(second);
    expect(filesIn(root).length).toBeGreaterThan(0);
    process.kill(second.pid, "SIGTERM");
    await untilTrue(() => readdirSync(root).length === 0, "the end of every spool");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test("two that print 64 MiB each for nobody cost little memory, and no descriptor once they are done", async () => {
  await using at = await serverWithSpools();
  const peer = await Peer.connect(at.server.url);
  const { sessionId } = await peer.initialize();
  const before = residentMiB(at.server.pid);
  const flood = "echo pid=$$.; read go; exec head -c 67108864 /dev/zero";
  const ids = [await peer.shell(flood, { pipeStdin: true }), await peer.shell(flood, { pipeStdin: true })];
  const pids: number[] = [];
  for (const id of ids) pids.push(Number((await peer.outputWith(id, ".")).match(/pid=(\d+)/)?.[1]));
  for (const id of ids) await peer.write(id, "\n", "1");
  await peer.hangUp();
  await untilTrue(() => !pids.some(isAlive), "the end of both");
  const open = () => descriptorsOf(at.server.pid).filter((path) => path.startsWith(at.root));
  await untilTrue(() => open().length === 1, "nothing but the lock to be open");
  expect(peakMiB(at.server.pid) - before).toBeLessThan(40);
  await using back = await resume(at.server.url, sessionId);
  for (const id of ids) {
    const chunks = await readAll(back, id, 4 * 1024 * 1024);
    const bytes = chunks.reduce((sum, { chunk }) => sum + Buffer.byteLength(chunk, "base64"), 0);
    expect(bytes - 67_108_864).toBe(`pid=${pids[0]}.\n`.length);
  }
});

test(`${MANY} that print little never touch the disk, and hold no descriptor`, async () => {
  await using at = await serverWithSpools();
  await using peer = await Peer.connect(at.server.url);
  await peer.initialize();
  const before = descriptorsOf(at.server.pid).length;
  for (let n = 0; n < MANY; n += 50) {
    const ids = await Promise.all(Array.from({ length: 50 }, () => peer.shell("echo one.; echo two. >&2")));
    for (const id of ids) {
      await peer.waitUntil(() => eventsOf(peer.messages, id).at(-1)?.method === "process/closed", "the end");
    }
    peer.messages.length = 0;
  }
  expect(filesIn(at.root)).toEqual([]);
  await untilTrue(() => descriptorsOf(at.server.pid).length === before, "as few descriptors as before");
});
