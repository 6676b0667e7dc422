import { expect, test } from "bun:test";
import { Permits } from "../../lib/base/permits.ts";

const never = new AbortController().signal;
const settled = () => Bun.sleep(0);

test("so many are let in at once, and the longest waiting next", async () => {
  const permits = new Permits(2);
  const order: number[] = [];
  const first = await permits.take(never);
  const second = await permits.take(never);
  const waiting = [3, 4].map(async (number) => {
    const release = await permits.take(never);
    order.push(number);
    return release;
  });
  await settled();
  expect(order).toEqual([]);
  first();
  first();
  await settled();
  expect(order).toEqual([3]);
  second();
  await settled();
  expect(order).toEqual([3, 4]);
  for (const release of await Promise.all(waiting)) release();
  await permits.take(never);
  await permits.take(never);
});

test("who gives up waits no longer, and takes nothing from the others", async () => {
  const permits = new Permits(1);
  const held = await permits.take(never);
  const controller = new AbortController();
  const left = permits.take(controller.signal);
  const next = permits.take(never);
  controller.abort();
  await expect(left).rejects.toThrow("given up");
  await expect(permits.take(controller.signal)).rejects.toThrow("given up");
  held();
  (await next)();
});
