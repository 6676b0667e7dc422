import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Program } from "../../../lib/sandbox/program.ts";
import { Peer } from "../../support/peer.ts";
import { type Json, runConfined, workspaceWrite } from "../../support/sandbox_context.ts";
import { type ServerProcess, spawnServer } from "../../support/target_process.ts";
import { Ground } from "./ground.ts";
import { type Invader, invaders, MAIN } from "./invaders.ts";
import { mechanism } from "../confined.ts";
import { RawCalls } from "./raw_calls.ts";

const TIMEOUT_MS = 30_000;

/** What an attempt finds, and what it may do with it. */
export interface Scene {
  readonly ground: Ground;
  readonly invader: Invader;
  readonly server: ServerProcess;
  readonly peer: Peer;
  /** What was prepared for it: a pid, a port, a path. */
  readonly prey: string;
}

/** What an attempt is about, and what must happen to it in the end. */
export interface Prey {
  readonly prey: string;
  readonly end: () => unknown;
}

export interface Attempt {
  /** What somebody does who wants to get out, for a shell; it ends with 0 if that was possible. */
  readonly script?: (scene: Scene) => string;
  /** The same as system calls. */
  readonly calls?: (program: Program, scene: Scene) => void;
  /** What is said of it in the sandbox, errors of the calls too. */
  readonly refused: RegExp;
  readonly prepare?: (scene: Omit<Scene, "prey">) => Prey | Promise<Prey>;
  /** What refuses it anyway, here and to this invader; then nothing can be shown. */
  readonly already?: (invader: Invader) => string | null;
  /** That for writing in the workspace, if nothing is said. */
  readonly sandbox?: (ground: Ground) => Json;
}

export interface Raid {
  /** Declares a test: the attempt fails in the sandbox, and the same succeeds outside of it. */
  attempt(name: string, attempt: Attempt): void;
  /** Declares a test of another shape. */
  test(name: string, body: (scene: Omit<Scene, "prey">) => Promise<void>): void;
  readonly invader: Invader;
}

/** Declares the same tests for each who could try, through a server program of theirs. */
export function raid(declare: (raid: Raid) => void): void {
  describe.skipIf(mechanism === null)("in a sandbox", () => {
    for (const invader of invaders()) describe(invader.name, () => declare(raidOf(invader)));
  });
}

function raidOf(invader: Invader): Raid {
  const opened = new AsyncDisposableStack();
  let server: ServerProcess;
  let peer: Peer;
  beforeAll(async () => {
    const command = [process.execPath, "--no-env-file", MAIN, "serve", "--listen", "ws://127.0.0.1:0"];
    server = opened.use(await spawnServer([...invader.prefix, ...command]));
    peer = opened.use(await Peer.ready(server.url));
  });
  afterAll(() => opened.disposeAsync());

  const scene = (ground: Ground) => ({ ground, invader, server, peer });
  const declare = (name: string, body: (scene: Omit<Scene, "prey">) => Promise<void>) => {
    test(name, async () => {
      using ground = new Ground(invader);
      await body(scene(ground));
    }, TIMEOUT_MS);
  };
  return {
    invader,
    test: declare,
    attempt(name, attempt) {
      const already = attempt.already?.(invader) ?? null;
      if (already !== null) test.skip(`${name} (${already})`, () => {});
      else declare(name, (scene) => tryBoth(scene, attempt));
    },
  };
}

async function tryBoth(scene: Omit<Scene, "prey">, attempt: Attempt): Promise<void> {
  const { ground } = scene;
  const { prey, end } = await attempt.prepare?.(scene) ?? { prey: "", end: () => {} };
  try {
    const before = ground.untouchable;
    const sandbox = attempt.sandbox?.(ground) ?? workspaceWrite(ground.work);
    const inside = await tryIt({ ...scene, prey }, attempt, sandbox);
    expect(ground.untouchable).toBe(before);
    expect(inside.said).toMatch(attempt.refused);
    expect(inside.exitCode).not.toBe(0);
    expect(await tryIt({ ...scene, prey }, attempt, null)).toMatchObject({ exitCode: 0 });
  } finally {
    await end();
  }
}

async function tryIt(
  scene: Scene,
  { script, calls }: Attempt,
  sandbox: Json | null,
): Promise<{ exitCode: number; said: string }> {
  const { ground, peer } = scene;
  const raw = calls === undefined ? null : new RawCalls(ground, (program) => calls(program, scene));
  const line = raw?.command ?? script?.(scene) ?? "";
  const { exitCode, stdout, stderr } = await runConfined(peer, sandbox, line, {
    cwd: `file://${ground.work}`,
  });
  return { exitCode, said: stdout + stderr + (raw?.refusal ?? "") };
}
