import { describe, expect, test } from "bun:test";
import { nextStart, type StartEvent, type StartLife } from "../../lib/process/start_life.ts";

const STARTING: StartLife = { state: "starting" };
const EVENTS: readonly StartEvent[] = ["began", "failed", "cancelled"];
const AFTER = { began: "running", failed: "failed", cancelled: "cancelled" } as const;

describe("nextStart()", () => {
  for (const first of EVENTS) {
    test(`once it ${first === "cancelled" ? "was " : ""}${first}, nothing changes that`, () => {
      const life = nextStart(STARTING, first);
      expect(life).toEqual({ state: AFTER[first] });
      for (const event of EVENTS) expect(nextStart(life, event)).toBe(life);
    });
  }
});
