import type { Case } from "./case.ts";
import { Contestant, type Source } from "./contestant.ts";
import type { Row, Side } from "./results.ts";
import type { Scene } from "./scene.ts";
import { gainOf } from "./statistics.ts";

export interface Pair {
  readonly ours: Source;
  readonly peer: Source;
}

export interface Measured {
  readonly row: Row;
  readonly versions: { readonly ours: string; readonly peer: string };
}

interface Corner {
  readonly name: "ours" | "peer";
  readonly contestant: Contestant;
  readonly side: Side;
}

/** Below this a count of kernel ticks of 10 ms says nothing. */
const LEAST_CPU_SECONDS = 0.05;

/** One case on both, in turn: ours first in one round, the peer first in the next. */
export async function measure(one: Case, pair: Pair, rounds: number, scene: Scene): Promise<Measured> {
  await one.prepare?.(scene);
  await using ours = await Contestant.enter(pair.ours);
  await using peer = await Contestant.enter(pair.peer);
  const corners: Corner[] = [
    { name: "ours", contestant: ours, side: newSide() },
    { name: "peer", contestant: peer, side: newSide() },
  ];
  // Not measured: what is loaded on first use is not what is compared, and caches are warm for both after.
  for (const corner of corners) {
    await round(one, { ...corner, side: newSide() }, scene);
    corner.contestant.forgetPeak();
  }
  for (let n = 0; n < rounds; n++) {
    for (const corner of n % 2 === 0 ? corners : corners.toReversed()) await round(one, corner, scene);
  }
  for (const { contestant, side } of corners) side.peakMiB = contestant.peakMiB();
  const [own, theirs] = corners.map(({ side }) => side) as [Side, Side];
  const { name, about, unit, betterIs } = one;
  const gain = gainOf(own.values, theirs.values, betterIs);
  const row = {
    ...{ name, about, unit, betterIs },
    ...{ gain, cpuGain: cpuGain(own, theirs), ours: own, peer: theirs },
  };
  return { row, versions: { ours: ours.wire.version, peer: peer.wire.version } };
}

async function round(one: Case, { name, contestant, side }: Corner, scene: Scene): Promise<void> {
  const [begun, ownBefore, cpuBefore] = [performance.now(), process.cpuUsage(), contestant.cpu()];
  try {
    side.values.push(await one.once(contestant.wire, scene));
  } catch (error) {
    // Who failed is half of what there is to know.
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
  }
  const { user, system } = process.cpuUsage(ownBefore);
  side.clientShare.push((user + system) / 1000 / (performance.now() - begun));
  const cpu = contestant.cpu();
  if (cpuBefore !== null && cpu !== null) side.cpu.push(cpu - cpuBefore);
}

function newSide(): Side {
  return { values: [], cpu: [], clientShare: [], peakMiB: null };
}

function cpuGain(ours: Side, peer: Side): Row["cpuGain"] {
  if (ours.cpu.length === 0 || peer.cpu.length === 0) return null;
  if (Math.min(...ours.cpu, ...peer.cpu) < LEAST_CPU_SECONDS) return null;
  return gainOf(ours.cpu, peer.cpu, "less");
}
