import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { systemClock } from "../../lib/base/clock.ts";
import type { StartOptions } from "../../lib/process/backend.ts";
import { LocalBackend } from "../../lib/process/local/local_backend.ts";
import { bestTrees, quickTrees } from "../../lib/process/local/tree/tree_support.ts";
import { outputOf, shell } from "../support/local_start.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { isAlive } from "../support/peer_system.ts";

// A process and all who descend from it, in each way that this machine has. Where it has no cgroup that we may divide, the
// two are the same.

const follows = quickTrees().tier !== "group";
const tiers = follows ? [quickTrees, bestTrees] : [];

const backendOn = (trees: typeof quickTrees, clock = systemClock) =>
  new LocalBackend(clock, () => {}, null, trees);

/** Who is there with this word in his environment, dead or alive: a mark of the test's own. */
function withWord(word: string): { pid: number; isDead: boolean }[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      if (!readFileSync(`/proc/${name}/environ`, "latin1").includes(word)) return [];
      return [{ pid: Number(name), isDead: !isAlive(Number(name)) }];
    } catch {
      return [];
    }
  });
}

/** The children of ours that have ended and that nobody has let go of. */
function zombies(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").map(
    Number,
  );
  return children.filter((pid) => pid > 0 && !isAlive(pid));
}

let words = 0;

function marked(script: string, more: Partial<StartOptions> = {}): { word: string; options: StartOptions } {
  const word = `TREE_TEST_${process.pid}_${++words}`;
  return { word, options: shell(script, { env: { PATH: "/usr/bin:/bin", [word]: "1" }, ...more }) };
}

/** Leaves its session, its parents and its terminal, ignores what can be ignored, and prints nothing. */
const ESCAPE = `
  setsid sh -c '(trap "" TERM HUP INT; while :; do sleep 0.05; done) & exit' </dev/null >/dev/null 2>&1 &
  (setsid sh -c 'trap "" TERM; sleep 600 & wait' </dev/null >/dev/null 2>&1 &) &
  wait; sleep 0.1
`;

for (const trees of tiers) {
  describe(`a process tree (${trees().tier}, ${trees.name})`, () => {
    test("whoever escaped dies with the end by force, and leaves no zombie", async () => {
      await using backend = backendOn(trees);
      const { word, options } = marked(`${ESCAPE} echo up; exec sleep 600`, { leftovers: "kill" });
      const process = backend.start(options);
      await outputOf(process, (text) => text.includes("up"));
      await untilTrue(
        () => withWord(word).filter(({ isDead }) => !isDead).length >= 4,
        "the escaped to be there",
      );
      expect(process.terminate()).toBe(true);
      await process.whenClosed;
      await untilTrue(() => withWord(word).length === 0, "everybody to be gone");
      await untilTrue(() => zombies().length === 0, "the dead to be let go");
      expect(process.log.exited?.exitCode).toBe(137);
    });

    test("whoever escaped dies when the process has ended by itself", async () => {
      await using backend = backendOn(trees);
      const { word, options } = marked(`${ESCAPE} echo up`, { leftovers: "kill" });
      const process = backend.start(options);
      await process.whenClosed;
      await untilTrue(() => withWord(word).length === 0, "everybody to be gone");
      await untilTrue(() => zombies().length === 0, "the dead to be let go");
    });

    test("two at once are not taken for each other", async () => {
      await using backend = backendOn(trees);
      const [first, second] = [
        marked(`${ESCAPE} echo up; read x`, { leftovers: "kill", pipeStdin: true }),
        marked(
          `${ESCAPE} echo up; read x`,
          { leftovers: "kill", pipeStdin: true },
        ),
      ];
      const processes = [backend.start(first.options), backend.start(second.options)];
      for (const process of processes) await outputOf(process, (text) => text.includes("up"));
      await untilTrue(
        () => withWord(second.word).filter(({ isDead }) => !isDead).length >= 5,
        "the second's to be there",
      );
      processes[0]!.terminate();
      await processes[0]!.whenClosed;
      await untilTrue(() => withWord(first.word).length === 0, "the first to be gone");
      expect(withWord(second.word).filter(({ isDead }) => !isDead).length).toBeGreaterThanOrEqual(4);
    });

    test("asked to end, those who escaped are asked too, and have their grace", async () => {
      const clock = new ManualClock();
      await using backend = backendOn(trees, clock);
      const polite = `trap "echo bye; exit" TERM; echo polite; while :; do sleep 0.05; done`;
      const { word, options } = marked(
        `setsid sh -c '${polite}' & setsid sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.05; done' & exec sleep 600`,
        { leftovers: "kill" },
      );
      const process = backend.start(options);
      await outputOf(process, (text) => text.includes("deaf") && text.includes("polite"));
      process.terminate({ signal: "TERM", ms: 5_000 });
      await outputOf(process, (text) => text.includes("bye"));
      expect(process.survivors()).toBeGreaterThan(0);
      await clock.advance(5_000);
      await process.whenClosed;
      await untilTrue(() => withWord(word).length === 0, "everybody to be gone");
    });

    test("what is kept outlives its process and its owner", async () => {
      const { word, options } = marked(
        'setsid sleep 600 </dev/null >/dev/null 2>&1 & until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.01; done',
        {
          leftovers: "keep",
        },
      );
      {
        await using backend = backendOn(trees);
        await backend.start(options).whenClosed;
      }
      const left = withWord(word).filter(({ isDead }) => !isDead);
      expect(left).toHaveLength(1);
      process.kill(left[0]!.pid, "SIGKILL");
      await untilTrue(() => withWord(word).length === 0, "it to be gone");
    });

    test("what is only reported is told by number and name", async () => {
      await using backend = backendOn(trees);
      const { word, options } = marked(
        'setsid sleep 600 </dev/null >/dev/null 2>&1 & until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.01; done',
        {
          leftovers: "report",
        },
      );
      const started = backend.start(options);
      await started.whenClosed;
      const [left] = withWord(word);
      expect(started.log.exited?.account?.leftovers).toEqual({
        count: 1,
        first: [{ pid: left!.pid, name: "sleep" }],
      });
      process.kill(left!.pid, "SIGKILL");
    });

    test("whoever leaves unasked lives on, and is no zombie after his end", async () => {
      await using backend = backendOn(trees);
      const { word, options } = marked("(setsid sleep 0.3 </dev/null >/dev/null 2>&1 &) & echo up");
      const started = backend.start(options);
      await started.whenClosed;
      expect(started.terminate()).toBe(false);
      expect(withWord(word).some(({ isDead }) => !isDead)).toBe(true);
      await untilTrue(() => withWord(word).length === 0, "its own end");
      await untilTrue(() => zombies().length === 0, "the dead to be let go");
    });

    test("those who fork as fast as they may are all found", async () => {
      await using backend = backendOn(trees);
      const bomb = `f() { setsid sleep 60 & f & f & wait; }; f &`;
      const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : [];
      const { word, options } = marked("", { leftovers: "kill" });
      const argv = [
        "prlimit",
        "--nproc=150",
        ...asNobody,
        "sh",
        "-c",
        `echo up; ${bomb} exec sleep 600`,
      ];
      const process_ = backend.start({ ...options, argv });
      await outputOf(process_, (text) => text.includes("up"));
      await untilTrue(() => withWord(word).length > 20, "the crowd to grow");
      process_.terminate();
      await process_.whenClosed;
      await untilTrue(() => withWord(word).length === 0, "everybody to be gone", 20_000);
      await untilTrue(() => zombies().length === 0, "the dead to be let go", 20_000);
    }, 40_000);
  });
}

test.skipIf(!follows)("an orphan of what the program itself has started is no zombie either", async () => {
  await using backend = backendOn(quickTrees);
  await backend.start(shell("true")).whenClosed;
  await using own = Bun.spawn(["sh", "-c", "sleep 0.2 >/dev/null & echo $!"], { stdout: "pipe" });
  const orphan = Number(await own.stdout.text());
  await untilTrue(() => !existsSync(`/proc/${orphan}`), "the orphan to be let go");
});
