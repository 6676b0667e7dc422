import { expect, test } from "bun:test";
import { BareSocket, framed } from "../faults/bare_socket.ts";
import { spawnOurs } from "../faults/spawned_server.ts";
import { childrenOf, descriptorsOf, residentMiB } from "../faults/system_facts.ts";
import { Peer } from "../support/peer.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { Dice } from "./dice.ts";
import { garbage } from "./garbage.ts";
import { roundsOr, seedOf } from "./seed.ts";

/** What one connection is told before the next takes over, unless the server ends it first. */
const PER_CONNECTION = 20;
const AT_ONCE_MS = 1_000;

/** A peer that does ordinary work and notices everything that is not as it should be. */
class Worker {
  #round = 0;
  slowestMs = 0;

  private constructor(private readonly peer: Peer, private readonly cat: string) {}

  static async at(peer: Peer): Promise<Worker> {
    return new Worker(peer, await peer.start({ argv: ["/bin/cat"], pipeStdin: true }));
  }

  async work(): Promise<void> {
    const line = `${++this.#round} ${crypto.randomUUID()}\n`;
    const begun = performance.now();
    expect(await this.peer.write(this.cat, line, line)).toBe("accepted");
    await this.peer.outputWith(this.cat, line);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
    if (this.#round % 10 !== 0) return;
    const { stdout, exitCode, seqs } = await this.peer.run({
      argv: ["/bin/sh", "-c", `printf '${line}'; exit 7`],
    });
    expect({ stdout, exitCode, seqs }).toEqual({ stdout: line, exitCode: 7, seqs: [1, 2, 3] });
  }

  /** Its messages are its own: nothing of what others caused came here. */
  mustHaveBeenAlone(): void {
    expect(this.peer.isClosed).toBe(false);
    expect(this.peer.messages.filter(({ error }) => error !== undefined)).toEqual([]);
  }
}

/** Tells one connection many things. Answers whether the server let it live. */
async function attack(url: string, dice: Dice): Promise<boolean> {
  await using bare = dice.chance(50) ? await BareSocket.ready(url) : await BareSocket.open(url);
  for (let said = 0; said < PER_CONNECTION && !bare.isEnded; said++) {
    const { bytes } = garbage(dice);
    // At times in small pieces, so that the server's reader stops everywhere.
    const piece = dice.chance(20) ? 1 + dice.number(20) : bytes.length;
    for (let start = 0; start < bytes.length && !bare.isEnded; start += piece) {
      await bare.write(bytes.subarray(start, start + piece));
    }
  }
  if (dice.chance(30)) return !bare.isEnded; // gone in the middle of it
  const id = "are you there?";
  bare.write(framed({ id, method: "no/such/method" }));
  // Half a frame before may swallow the question; then only the end of the connection is left to see.
  await Promise.race([
    bare.until(() => bare.messages.some((message) => message.id === id), id),
    Bun.sleep(20),
  ])
    .catch(() => {});
  for (const { id, method, result, error } of bare.messages) {
    if (method !== undefined) expect(method).toMatch(/^process\/(output|exited|closed)$/);
    else expect([typeof id, result !== undefined || typeof error?.code === "number"]).not.toContain(false);
  }
  return !bare.isEnded;
}

test("garbage costs its sender the connection at most, and nobody else anything", async () => {
  const seed = seedOf("fuzz/frames");
  const rounds = roundsOr(400);
  const dice = new Dice(seed);
  await using server = await spawnOurs(["--detach-ttl", "0s"]);
  await using peer = await Peer.ready(server.url);
  const worker = await Worker.at(peer);
  const warmUp = Math.min(rounds, 50);
  const siege = async (attacks: number) => {
    let survived = 0;
    for (let round = 0; round < attacks; round++) {
      const [lived] = await Promise.all([attack(server.url, dice), worker.work()]);
      if (lived) survived += 1;
    }
    // The worker's cat is the one child that stays.
    await untilTrue(
      () => childrenOf(server.pid).length === 1,
      `the end of the attackers' children (seed ${seed})`,
    );
    return survived;
  };
  await siege(warmUp);
  const [descriptors, resident] = [descriptorsOf(server.pid).length, residentMiB(server.pid)];
  const survived = await siege(rounds);

  worker.mustHaveBeenAlone();
  expect(worker.slowestMs).toBeLessThan(AT_ONCE_MS);
  await untilTrue(
    () => descriptorsOf(server.pid).length <= descriptors,
    `no descriptor to be left (seed ${seed})`,
  );
  expect(residentMiB(server.pid) - resident).toBeLessThan(64);
  expect(server.stderr()).toBe("");
  // Neither all nor none: else the garbage would be too coarse or too tame to show anything.
  expect(survived).toBeGreaterThan(0);
  expect(survived).toBeLessThan(rounds);
});
