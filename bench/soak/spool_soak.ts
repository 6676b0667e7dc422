// bun bench/soak/spool_soak.ts [PROCESSES [MIB]]
// Processes that print very much while nobody is there: the server stays small, and all of it can be read afterwards.
// The spools are in `dist` for that time: what is temporary elsewhere may be in memory.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "@std/path";
import { peakMiB } from "../../tests/faults/system_facts.ts";
import { spawnOurs } from "../../tests/faults/spawned_server.ts";
import { Peer } from "../../tests/support/peer.ts";
import { untilTrue } from "../../tests/support/peer_deadline.ts";
import { resume } from "../../tests/support/peer_resume.ts";
import { must, numbers } from "./arguments.ts";
import { print, vitalsOf } from "./vitals.ts";

const [processes, mib] = numbers(10, 1024);
/** While it is printed, in all. */
const LIMIT_MIB = 100;
const PAGE_BYTES = 1024 * 1024;
const DEADLINE_MS = 30 * 60_000;
/** Each may keep all of it; all of them together keep 8 GiB, or half of what the disk has free. */
const FLAGS = ["--spool-max", "2GiB", "--detach-ttl", "1h"];
const KEPT_MIB = 7 * 1024;

const dist = join(import.meta.dir, "..", "..", "dist");
await mkdir(dist, { recursive: true });
const directory = await mkdtemp(join(dist, "spool-"));
try {
  await using server = await spawnOurs(["--spool-dir", directory, ...FLAGS]);
  const peer = await Peer.connect(server.url);
  const { sessionId } = await peer.initialize();
  const before = vitalsOf(server.pid);
  print("begun", before);
  const flood = `head -c ${mib * 2 ** 20} /dev/zero`;
  const ids = await Promise.all(Array.from({ length: processes }, () => peer.shell(flood)));
  await peer.hangUp();
  const began = performance.now();
  await untilTrue(() => vitalsOf(server.pid).children === 0, "the end of every child", DEADLINE_MS);
  const seconds = (performance.now() - began) / 1000;
  const highest = Math.round(peakMiB(server.pid));
  print(
    `printed, ${Math.round(processes * mib / seconds)} MiB/s, at most ${highest} MiB`,
    vitalsOf(server.pid),
  );
  must(highest < LIMIT_MIB, `It held ${highest} MiB`);
  await using back = await resume(server.url, sessionId);
  let bytes = 0;
  for (const id of ids) bytes += await readAll(back, id);
  print(`read, at most ${Math.round(peakMiB(server.pid))} MiB`, vitalsOf(server.pid));
  const kept = Math.min(processes * mib, KEPT_MIB) * 2 ** 20;
  must(bytes >= kept && bytes <= processes * mib * 2 ** 20, `It told ${bytes} bytes`);
  await untilTrue(
    () => vitalsOf(server.pid).descriptors <= before.descriptors + 1,
    "as few descriptors as before",
  );
  console.log("all there");
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function readAll(peer: Peer, processId: string): Promise<number> {
  let bytes = 0;
  for (let cursor = 0;;) {
    const { chunks, nextSeq } = await peer.read(processId, { afterSeq: cursor, maxBytes: PAGE_BYTES });
    if (chunks.length === 0) return bytes;
    // Only the oldest may be gone.
    must(
      cursor === 0 || chunks[0]!.seq === cursor + 1,
      `Seq ${chunks[0]!.seq} came where ${cursor + 1} was next`,
    );
    for (const { chunk } of chunks) bytes += Buffer.byteLength(chunk, "base64");
    cursor = nextSeq - 1;
    peer.messages.length = 0;
  }
}
