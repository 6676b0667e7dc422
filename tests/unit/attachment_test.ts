import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Attachment, type AttachmentEvent, nextAttachment } from "../../lib/server/attachment.ts";

type Bond = Attachment<string>;
type Event = AttachmentEvent<string>;

const attached: Bond = { state: "attached", connection: "a" };
const detached: Bond = { state: "detached", expiresAt: 100 };
const ended: Bond = { state: "ended" };

test("the end of its own connection detaches a session, that of another one does not", () => {
  const over = (connection: string): Event => ({ type: "connection ended", connection, expiresAt: 100 });
  expect(nextAttachment(attached, over("a"))).toEqual(detached);
  for (const bond of [detached, ended]) expect(nextAttachment(bond, over("a"))).toBe(bond);
  expect(nextAttachment(attached, over("b"))).toBe(attached);
});

test("a session is resumed before its deadline, not at it, and never while attached or after its end", () => {
  const resumed = (now: number): Event => ({ type: "resumed", connection: "b", now });
  expect(nextAttachment(detached, resumed(99.9))).toEqual({ state: "attached", connection: "b" });
  expect(nextAttachment(detached, resumed(100))).toBe(detached);
  for (const bond of [attached, ended]) expect(nextAttachment(bond, resumed(0))).toBe(bond);
});

test("when time is up it has ended, from every state", () => {
  for (const bond of [attached, detached, ended]) {
    expect(nextAttachment(bond, { type: "time is up" })).toEqual(ended);
  }
});

test("whatever happens, an ended session stays ended and only a detached one changes hands", () => {
  const connection = fc.constantFrom("a", "b", "c");
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({ type: fc.constant("resumed" as const), connection, now: fc.nat(200) }),
    fc.record({ type: fc.constant("connection ended" as const), connection, expiresAt: fc.nat(200) }),
    { weight: 1, arbitrary: fc.constant<Event>({ type: "time is up" }) },
  );
  fc.assert(
    fc.property(fc.array(event), (events) => {
      let bond: Bond = attached as Bond;
      for (const event of events) {
        const next = nextAttachment(bond, event);
        if (bond.state === "ended") expect(next.state).toBe("ended");
        if (bond.state === "attached" && next.state === "attached") expect(next).toBe(bond);
        if (bond.state === "detached" && next.state === "attached") {
          expect(event).toMatchObject({ type: "resumed", connection: next.connection });
        }
        bond = next;
      }
    }),
  );
});
