// bun bench/soak/spawn_soak.ts [PROCESSES [PER_SESSION]]
// Runs very many short processes and looks whether the server holds more after them than before.
import { Peer } from "../../tests/support/peer.ts";
import { untilTrue } from "../../tests/support/peer_deadline.ts";
import { spawnOurs } from "../../tests/faults/spawned_server.ts";
import { must, numbers } from "./arguments.ts";
import { print, vitalsOf } from "./vitals.ts";

const [processes, perSession] = numbers(100_000, 1_000);
const PIPELINED = 32;
/** On pipes mostly; now and then with an input, or on a terminal. */
const KINDS = [{}, {}, {}, {}, {}, {}, { pipeStdin: true }, { tty: true }];
const GROWTH_MIB = 64;

async function session(url: string, times: number): Promise<void> {
  await using peer = await Peer.ready(url);
  let left = times;
  const work = async () => {
    while (left-- > 0) {
      const id = await peer.start({ argv: ["/bin/true"], ...KINDS[left % KINDS.length] });
      await peer.waitFor(
        ({ method, params }) => method === "process/closed" && params?.processId === id,
        `the end of ${id}`,
        Math.max(0, peer.messages.length - 4 * PIPELINED),
      );
    }
  };
  await Promise.all(Array.from({ length: PIPELINED }, work));
  const good = peer.messages.filter(({ params }) => params?.exitCode === 0).length;
  must(good === times, `${times - good} of ${times} processes did not end with 0`);
}

await using server = await spawnOurs(["--detach-ttl", "0s"]);
const warmUp = Math.min(processes, 5 * perSession);
for (let ran = 0; ran < warmUp; ran += perSession) {
  await session(server.url, Math.min(perSession, warmUp - ran));
}
const before = vitalsOf(server.pid);
print("warmed up", before);
const lately: number[] = [];
const begun = performance.now();
for (let ran = 0; ran < processes;) {
  const now = Math.min(perSession, processes - ran);
  await session(server.url, now);
  ran += now;
  lately.push(vitalsOf(server.pid).residentMiB);
  if (ran % (10 * perSession) === 0) print(`${ran} processes`, vitalsOf(server.pid));
}
const seconds = (performance.now() - begun) / 1000;
await untilTrue(() => vitalsOf(server.pid).children === 0, "the end of every child");
await untilTrue(() => vitalsOf(server.pid).descriptors <= before.descriptors, "as few descriptors as before");
print(`${processes} processes in ${seconds.toFixed(1)} s`, vitalsOf(server.pid));
// The lowest of several: between two collections there is garbage, which is no leak.
const growth = Math.min(...lately.slice(-10)) - before.residentMiB;
must(growth < GROWTH_MIB, `It grew by ${growth} MiB`);
console.log("flat");
