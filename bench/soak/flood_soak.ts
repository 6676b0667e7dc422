// bun bench/soak/flood_soak.ts [MINUTES]
// Children that print without end: to a peer that reads, to one that hangs, and to nobody, with cuts between.
import { Peer } from "../../tests/support/peer.ts";
import { resume } from "../../tests/support/peer_resume.ts";
import { SilentLine } from "../../tests/faults/silent_line.ts";
import { spawnOurs } from "../../tests/faults/spawned_server.ts";
import { must, numbers } from "./arguments.ts";
import { print, vitalsOf } from "./vitals.ts";

const [minutes] = numbers(10);
const CUT_EVERY_MS = 20_000;
const LIMIT_MIB = 400;
const FLOOD = ["/bin/cat", "/dev/zero"];

/** Counts what one connection is told about one process, and forgets it, for it is a lot. */
class Reader {
  bytes = 0;
  #nextSeq = 0;

  constructor(readonly peer: Peer, private readonly processId: string) {}

  take(): void {
    for (const { method, params } of this.peer.messages.splice(0)) {
      if (method !== "process/output" || params?.processId !== this.processId) continue;
      const seq = params.seq as number;
      must(this.#nextSeq === 0 || seq === this.#nextSeq, `Seq ${seq} came where ${this.#nextSeq} was next`);
      this.#nextSeq = seq + 1;
      this.bytes += Buffer.byteLength(params.chunk as string, "base64");
    }
  }
}

await using server = await spawnOurs();
await using line = await SilentLine.to(server.url);
await using hanging = await Peer.ready(line.url);
await using other = await Peer.ready(server.url);
line.stall();
hanging.send(
  JSON.stringify({ id: 0, method: "process/start", params: hanging.startParams({ argv: FLOOD }) }),
);

const first = await Peer.connect(server.url);
const { sessionId } = await first.initialize();
const processId = await first.start({ argv: FLOOD });
let reader = new Reader(first, processId);
let [total, cuts, slowestMs, highestMiB] = [0, 0, 0, 0];
const begun = performance.now();
for (let next = begun + CUT_EVERY_MS; performance.now() < begun + minutes * 60_000;) {
  await Bun.sleep(20);
  const before = reader.bytes;
  reader.take();
  total += reader.bytes - before;
  const asked = performance.now();
  await other.call("environment/status");
  slowestMs = Math.max(slowestMs, performance.now() - asked);
  if (performance.now() < next) continue;
  next += CUT_EVERY_MS;
  const vitals = vitalsOf(server.pid);
  highestMiB = Math.max(highestMiB, vitals.residentMiB);
  print(`${Math.round((performance.now() - begun) / 1000)} s, ${Math.round(total / 2 ** 20)} MiB`, vitals);
  must(vitals.residentMiB < LIMIT_MIB, `It holds ${vitals.residentMiB} MiB`);
  await reader.peer.hangUp();
  // For a moment the child runs free.
  await Bun.sleep(500);
  reader = new Reader(await resume(server.url, sessionId), processId);
  cuts += 1;
}
await reader.peer.hangUp();
const seconds = (performance.now() - begun) / 1000;
console.log(
  `${Math.round(total / 2 ** 20 / seconds)} MiB/s over ${cuts} cuts; others waited ${
    Math.round(slowestMs)
  } ms at most; ` +
    `${highestMiB} MiB at most`,
);
console.log("bounded");
