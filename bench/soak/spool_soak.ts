// bun bench/soak/spool_soak.ts [PROCESSES [MIB]]
// Processes that print very much while nobody is there: the server stays small, and all of it can be read afterwards.
// The spools are in `dist` for that time: what is temporary elsewhere may be in memory.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "@std/path";
import { descriptorsOf, peakMiB } from "../../tests/faults/system_facts.ts";
import { spawnOurs } from "../../tests/faults/spawned_server.ts";
import { Peer } from "../../tests/support/peer.ts";
import { untilTrue } from "../../tests/support/peer_deadline.ts";
import { resume } from "../../tests/support/peer_resume.ts";
import { must, numbers } from "./arguments.ts";
import { print, vitalsOf } from "./vitals.ts";

const [processes, mib] = numbers(10, 1024);
/** While it is printed, and while it is read: then what was sent waits for the collector. */
const [PRINTED_LIMIT_MIB, READ_LIMIT_MIB] = [100, 160];
const PAGE_BYTES = 1024 * 1024;
const DEADLINE_MS = 30 * 60_000;
/** All of it is kept, if half of what the disk has free is enough. */
const FLAGS = ["--spool-max", `${Math.ceil(processes * mib / 1000) + 1}GiB`, "--detach-ttl", "1h"];

const dist = join(import.meta.dir, "..", "..", "dist");
await mkdir(dist, { recursive: true });
const directory = await mkdtemp(join(dist, "spool-"));
try {
  await using server = await spawnOurs(["--spool-dir", directory, ...FLAGS]);
  const peer = await Peer.connect(server.url);
  const { sessionId } = await peer.initialize();
  print("begun", vitalsOf(server.pid));
  // They stay, for what an ended one printed is kept for a while only, and to read all of it may take longer.
  const flood = (n: number) =>
    `head -c ${mib * 2 ** 20} /dev/zero; : > ${join(directory, `printed-${n}`)}; exec sleep 3600`;
  const ids = await Promise.all(Array.from({ length: processes }, (_, n) => peer.shell(flood(n))));
  await peer.hangUp();
  const began = performance.now();
  const arePrinted = () => ids.every((_, n) => existsSync(join(directory, `printed-${n}`)));
  await untilTrue(arePrinted, "the end of all output", DEADLINE_MS);
  const seconds = (performance.now() - began) / 1000;
  const highest = Math.round(peakMiB(server.pid));
  print(
    `printed, ${Math.round(processes * mib / seconds)} MiB/s, at most ${highest} MiB`,
    vitalsOf(server.pid),
  );
  must(highest < PRINTED_LIMIT_MIB, `It held ${highest} MiB`);
  await using back = await resume(server.url, sessionId);
  const beganReading = performance.now();
  let bytes = 0;
  for (const id of ids) bytes += await readAll(back, id);
  const secondsRead = (performance.now() - beganReading) / 1000;
  const highestRead = Math.round(peakMiB(server.pid));
  print(
    `read, ${Math.round(processes * mib / secondsRead)} MiB/s, at most ${highestRead} MiB`,
    vitalsOf(server.pid),
  );
  must(highestRead < READ_LIMIT_MIB, `It held ${highestRead} MiB`);
  must(bytes === processes * mib * 2 ** 20, `It told ${bytes} bytes`);
  await untilTrue(
    () => descriptorsOf(server.pid).filter((path) => path.startsWith(directory)).length === 1,
    "nothing but the lock to be open",
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
    must(chunks[0]!.seq === cursor + 1, `Seq ${chunks[0]!.seq} came where ${cursor + 1} was next`);
    for (const { chunk } of chunks) bytes += Buffer.byteLength(chunk, "base64");
    cursor = nextSeq - 1;
    peer.messages.length = 0;
  }
}
