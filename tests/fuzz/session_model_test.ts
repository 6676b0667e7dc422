import { test } from "bun:test";
import fc from "fast-check";
import { oursTarget } from "../support/target_ours.ts";
import { roundsOr, seedOf } from "./seed.ts";
import { sessionCommands } from "./session_commands.ts";
import { type Model, RealSession } from "./session_model.ts";

test("whatever a client does with a session, each process tells one story without holes and answers as its state demands", async () => {
  await using server = await oursTarget().serve();
  const property = fc.asyncProperty(fc.commands(sessionCommands(), { size: "+1" }), async (commands) => {
    await using real = await RealSession.at(server.url);
    const model: Model = { processes: new Map() };
    await fc.asyncModelRun(() => ({ model, real }), commands);
    for (const [id, known] of model.processes) {
      await real.mustTell(id, known);
      await real.mustHaveBeenTold(id, known);
    }
  });
  await fc.assert(property, { seed: seedOf("fuzz/session_model"), numRuns: roundsOr(40) });
});
