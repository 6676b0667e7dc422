// bun bench/soak/idle_soak.ts [MINUTES]
// Silence for real: who answers pings stays, who answers nothing goes, and nothing is held that was not held before.
import { Peer } from "../../tests/support/peer.ts";
import { OPCODE } from "../../tests/support/raw_frame.ts";
import { RawSocket } from "../../tests/support/raw_socket.ts";
import { spawnOurs } from "../../tests/faults/spawned_server.ts";
import { must, numbers } from "./arguments.ts";
import { print, vitalsOf } from "./vitals.ts";

const [minutes] = numbers(10);
/** The rule is 60 s, looked at every 15; our own clock began a moment after its last frame. */
const SILENT_AT_MOST_MS = 80_000;
const SILENT_AT_LEAST_MS = 59_000;
const PINGED_AT_LEAST_EVERY_MS = 31_000;

await using server = await spawnOurs();
// Its runtime answers pings by itself.
await using idle = await Peer.ready(server.url);
await using polite = await RawSocket.ready(server.url);
await using silent = await RawSocket.ready(server.url);
const cat = await idle.start({ argv: ["/bin/cat"], pipeStdin: true });

const before = vitalsOf(server.pid);
print("begun", before);
const begun = performance.now();
let silentFor = Number.POSITIVE_INFINITY;
silent.ended.then(() => void (silentFor = performance.now() - begun));
let answered = 0;
let lastPing = begun;
let longestMs = 0;
for (let next = begun + 60_000; performance.now() < begun + minutes * 60_000;) {
  await Bun.sleep(100);
  const pings = polite.frames.filter(({ opcode }) => opcode === OPCODE.ping);
  for (const { payload } of pings.slice(answered)) {
    polite.sendFrame({ opcode: OPCODE.pong, payload });
    answered += 1;
    lastPing = performance.now();
  }
  longestMs = Math.max(longestMs, performance.now() - lastPing);
  must(!idle.isClosed && !polite.isEnded, "A peer that answers pings was dropped");
  if (performance.now() < next) continue;
  print(`${Math.round((performance.now() - begun) / 60_000)} min, ${answered} pings`, vitalsOf(server.pid));
  next += 60_000;
}
must(longestMs < PINGED_AT_LEAST_EVERY_MS, `Once there was no ping for ${Math.round(longestMs)} ms`);
if (minutes * 60_000 > SILENT_AT_MOST_MS) {
  must(silentFor < SILENT_AT_MOST_MS, `A peer that said nothing was there for ${Math.round(silentFor)} ms`);
  must(
    silentFor > SILENT_AT_LEAST_MS,
    `A peer that said nothing was dropped after ${Math.round(silentFor)} ms`,
  );
}
must(await idle.write(cat, "still here\n", "1") === "accepted", "The write was not accepted");
await idle.outputWith(cat, "still here\n");
const after = vitalsOf(server.pid);
print("ended", after);
must(after.descriptors <= before.descriptors, "It holds more descriptors than before");
console.log("quiet and alive");
