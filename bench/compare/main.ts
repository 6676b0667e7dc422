/**
 * Ours beside any server of the same protocol, in turn, with ratios that a busy machine leaves standing:
 *
 *     deno task bench --rounds 5 --json results.json
 *     deno task bench --peer-cmd 'codex exec-server --listen ws://127.0.0.1:{port}' --only fs
 */
import { type Arguments, readArguments } from "./arguments.ts";
import { measure } from "./measure.ts";
import { type Results, thisMachine } from "./results.ts";
import { Scene } from "./scene.ts";
import { heading, tableLine } from "./table.ts";

async function compare({ cases, rounds, peerName, ...pair }: Arguments): Promise<Results> {
  const results: Results = {
    when: new Date().toISOString(),
    machine: thisMachine(),
    ours: { name: "exec-server", version: "unknown" },
    peer: { name: peerName, version: "unknown" },
    rounds,
    rows: [],
    problems: [],
  };
  await using scene = new Scene();
  console.log(heading());
  for (const one of cases) {
    try {
      const { row, versions } = await measure(one, pair, rounds, scene);
      results.ours.version = versions.ours;
      results.peer.version = versions.peer;
      results.rows.push(row);
      console.log(tableLine(row));
    } catch (error) {
      // The others are still worth knowing.
      results.problems.push(`${one.name}: ${error instanceof Error ? error.message : error}`);
      console.log(results.problems.at(-1));
    }
  }
  return results;
}

async function main(words: string[]): Promise<number> {
  const given = await readArguments(words);
  if (typeof given === "string") {
    console.log(given);
    return 0;
  }
  const results = await compare(given);
  if (given.json !== null) await Bun.write(given.json, JSON.stringify(results, null, 1) + "\n");
  return results.problems.length > 0 ? 1 : 0;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
