import { expect, test } from "bun:test";
import { wholeInput } from "../../cli/run/spooled_stdin.ts";
import { ManualClock } from "../support/manual_clock.ts";

const LIMITS = { bytes: 10, ms: 60_000 };

test("an input within the limits comes as a whole", async () => {
  const input = new Blob(["0123", "456789"]).stream();
  const whole = await wholeInput(input, LIMITS, new ManualClock());
  expect(new TextDecoder().decode(whole)).toBe("0123456789");
});

test("an input that is too long is refused before its end", async () => {
  const input = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(new Uint8Array(4)) });
  await expect(wholeInput(input, LIMITS, new ManualClock())).rejects.toMatchObject({
    status: 125,
    message: expect.stringContaining("longer than 10 bytes"),
  });
});

test("an input that does not end is refused when its time is over", async () => {
  const clock = new ManualClock();
  const failure = wholeInput(new ReadableStream<Uint8Array>(), LIMITS, clock).catch((error) => error);
  await clock.advance(LIMITS.ms);
  expect(await failure).toMatchObject({
    status: 125,
    message: expect.stringContaining("not ended within 60 s"),
  });
});
