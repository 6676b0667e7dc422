import { expect } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { context, type Json, managed, path, runConfined, special } from "../../support/sandbox_context.ts";
import { refusal, RefusedCall } from "../../support/peer_conversation.ts";
import { confined } from "../../support/sandbox_context.ts";
import type { Program } from "../../../lib/sandbox/program.ts";
import type { Ground } from "./ground.ts";
import { raid } from "./raid.ts";
import { RawCalls } from "./raw_calls.ts";

const ROUNDS = 40;
/** A few times in a start. */
const PERIOD_NS = 500_000;
const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

/** Two of what is open lies in the workspace, under names that a command there could use otherwise. */
function withMore(ground: Ground): Json {
  const entries = [
    special("root", "read"),
    special("project_roots", "write"),
    special("tmpdir", "write"),
    path(`file://${ground.work}/more`, "write"),
  ];
  const root = `file://${ground.work}`;
  return context(managed(entries), { cwd: root, workspaceRoots: [root] });
}

raid(({ test }) => {
  test("a link that one command leaves does not open its target to the next", async ({ ground, peer }) => {
    const sandbox = withMore(ground);
    for (const name of ["more", "temporary"]) {
      const env = { PATH: process.env["PATH"] ?? "", TMPDIR: join(ground.work, "temporary") };
      const made = await runConfined(peer, sandbox, `ln -s ${ground.outside} ${ground.work}/${name}`, {
        env,
      });
      expect(made).toMatchObject({ exitCode: 0, stderr: "" });
      const next = confined(peer, sandbox, { argv: ["touch", `${ground.outside}/new`], env });
      expect(await refusal(peer.call("process/start", next))).toMatchObject({
        code: -32602,
        message: expect.stringContaining("crosses writable symlink"),
      });
      await runConfined(peer, null, `rm ${ground.work}/${name}`);
    }
    expect(readdirSync(ground.outside)).toEqual(["file"]);
  });

  test("a directory that turns into a link while sandboxes start leads nowhere", async ({ ground, peer }) => {
    const { work, outside } = ground;
    mkdirSync(join(work, "more"));
    symlinkSync(outside, join(work, "link"));
    // To a command without a sandbox the link is as good as the directory.
    expect((await runConfined(peer, null, `cd ${work} && touch link/control`)).exitCode).toBe(0);
    await runConfined(peer, null, `rm ${outside}/control`);
    const racer = await peer.start({
      argv: ["/bin/sh", "-c", new RawCalls(ground, exchangeForEver).command],
    });
    const sandbox = withMore(ground);
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      try {
        await runConfined(peer, sandbox, `touch ${work}/more/new ${outside}/new 2> /dev/null`);
      } catch (error) {
        if (!(error instanceof RefusedCall)) throw error;
        expect(error.body).toMatchObject({ code: -32602 });
        refused++;
      }
      expect(readdirSync(outside)).toEqual(["file"]);
    }
    expect(await peer.terminate(racer)).toBe(true);
    // Half of the time it is a link.
    expect(refused).toBeGreaterThan(0);
  });
});

/** The directory and the link take each other's name, again and again. */
function exchangeForEver(program: Program, { work }: Ground): void {
  const [more, link] = [`${work}/more`, `${work}/link`].map((path) => program.text(path));
  const again = program.label();
  program.place(again);
  program.call("renameat2", [AT_FDCWD, more!, AT_FDCWD, link!, RENAME_EXCHANGE], { what: "exchange" });
  program.call("nanosleep", [program.words(0, PERIOD_NS), 0], { what: "wait" });
  program.goto(again);
}
