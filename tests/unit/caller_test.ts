import { describe, expect, test } from "bun:test";
import { CallError } from "../../lib/rpc/call_error.ts";
import { Caller, durationText, PENDING_CALLS } from "../../lib/rpc/caller.ts";
import type { RequestId } from "../../lib/wire/envelope.ts";
import { WireError } from "../../lib/wire/wire_error.ts";
import { ManualClock } from "../support/manual_clock.ts";

function setUp() {
  const clock = new ManualClock();
  const sent: { id: number; method: string; params: unknown }[] = [];
  let overflows = 0;
  const caller = new Caller((message) => sent.push(JSON.parse(message)), clock, () => overflows++);
  const answer = (id: number, result: unknown) =>
    caller.answered({ kind: "result", id: String(id) as RequestId, result });
  return { clock, sent, caller, answer, overflows: () => overflows };
}

describe("a caller", () => {
  test("numbers its calls from 1 and gives each its own answer, in any order", async () => {
    const { caller, sent, answer } = setUp();
    const calls = [caller.call("a", { x: 1 }), caller.call("b", null)];
    expect(sent).toEqual([{ id: 1, method: "a", params: { x: 1 } }, { id: 2, method: "b", params: null }]);
    answer(2, "second");
    answer(1, "first");
    expect(await Promise.all(calls)).toEqual(["first", "second"]);
    expect(caller.pending).toBe(0);
  });

  test("rejects with what the peer refused", async () => {
    const { caller } = setUp();
    const call = caller.call("a", null);
    const error = { code: -32603, message: "no", data: { errno: "ENOENT" } };
    caller.answered({ kind: "error", id: "1" as RequestId, error });
    expect(await call.catch((caught) => caught)).toEqual(new WireError(-32603, "no", { errno: "ENOENT" }));
  });

  test.each([[null], [{ code: 1 }], [{ code: 1.5, message: "x" }], [{ code: "1", message: "x" }]])(
    "does not take %p for a refusal",
    async (error) => {
      const { caller } = setUp();
      const call = caller.call("a", null);
      caller.answered({ kind: "error", id: "1" as RequestId, error });
      await expect(call).rejects.toMatchObject({ code: "malformed" });
    },
  );

  test("ignores answers that nobody waits for", () => {
    const { caller, answer } = setUp();
    answer(7, "nobody asked");
    caller.answered({ kind: "result", id: '"1"' as RequestId, result: null });
    expect(caller.pending).toBe(0);
  });

  test("gives up a call at its deadline, and no other", async () => {
    const { caller, clock, answer } = setUp();
    const patient = caller.call("slow", null);
    const hasty = caller.call("environment/status", null, { timeoutMs: 10_000 });
    const late = hasty.catch((error: Error) => error.message);
    await clock.advance(9_999);
    expect(caller.pending).toBe(2);
    await clock.advance(1);
    expect(await late).toBe("timed out waiting for exec-server `environment/status` response after 10s");
    answer(2, "too late");
    answer(1, "well");
    expect(await patient).toBe("well");
    expect(clock.pending).toBe(0);
  });

  test("has places for 1024 calls and one more for tidying up; then only an end helps", async () => {
    const { caller, sent, overflows } = setUp();
    const calls = Array.from({ length: PENDING_CALLS }, () => caller.call("a", null));
    await expect(caller.call("a", null)).rejects.toMatchObject({
      code: "limit",
      message: "exec-server has reached its limit of 1024 pending requests",
    });
    const tidy = caller.call("process/terminate", null, { cleansUp: true });
    expect(sent.length).toBe(PENDING_CALLS + 1);
    expect(overflows()).toBe(0);
    await expect(caller.call("process/terminate", null, { cleansUp: true })).rejects.toThrow(CallError);
    expect(overflows()).toBe(1);
    caller.end("over");
    const ends = await Promise.allSettled([...calls, tidy]);
    expect(ends.every(({ status }) => status === "rejected")).toBe(true);
  });

  test("fails all that wait together when the connection ends, in their order, and all that come later", async () => {
    const { caller, clock } = setUp();
    const order: number[] = [];
    const calls = [1, 2, 3].map((n) => caller.call("a", null, { timeoutMs: 5 }).catch(() => order.push(n)));
    caller.end("gone");
    caller.end("gone twice");
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3]);
    expect(clock.pending).toBe(0);
    await expect(caller.call("a", null)).rejects.toThrow("gone");
  });
});

test("a time is told as short as it is", () => {
  expect([250, 1_000, 1_500, 45_000].map(durationText)).toEqual(["250ms", "1s", "1.5s", "45s"]);
});
