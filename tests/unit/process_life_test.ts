import { expect, test } from "bun:test";
import fc from "fast-check";
import { type LifeEvent, nextLife, type ProcessLife } from "../../lib/process/process_life.ts";

const ORDER = ["running", "exited", "closed"];

test("a life goes running, exited, closed, and keeps its exit code", () => {
  const exited = nextLife({ state: "running" }, { type: "exited", exitCode: 7 });
  expect(exited).toEqual({ state: "exited", exitCode: 7 });
  expect(nextLife(exited, { type: "closed" })).toEqual({ state: "closed", exitCode: 7 });
});

test("whatever is told in whatever order, a life goes forward one step at a time, and never changes its code", () => {
  const event: fc.Arbitrary<LifeEvent> = fc.oneof(
    fc.record({ type: fc.constant("exited" as const), exitCode: fc.integer() }),
    fc.constant<LifeEvent>({ type: "closed" }),
  );
  fc.assert(
    fc.property(fc.array(event), (events) => {
      let life: ProcessLife = { state: "running" };
      for (const event of events) {
        const next = nextLife(life, event);
        const steps = ORDER.indexOf(next.state) - ORDER.indexOf(life.state);
        expect([0, 1]).toContain(steps);
        if (steps === 0) expect(next).toBe(life);
        if (life.state !== "running") expect(next).toMatchObject({ exitCode: life.exitCode });
        life = next;
      }
      // Closed only by an end of output that came after an exit.
      const firstExit = events.findIndex(({ type }) => type === "exited");
      const isOver = firstExit !== -1 && events.slice(firstExit).some(({ type }) => type === "closed");
      expect(life.state === "closed").toBe(isOver);
    }),
  );
});
