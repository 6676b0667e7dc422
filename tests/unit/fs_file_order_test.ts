import { describe, expect, test } from "bun:test";
import { FileOrder, type Touched } from "../../lib/server/file_order.ts";

const reads = (path: string | Uint8Array): Touched => ({ path, changes: false });
const changes = (path: string | Uint8Array): Touched => ({ path, changes: true });
const handle = (name: string): Touched => ({ handle: name });

/** Begins a call that goes on until it is let go, then asks whether another one waits for it. */
async function waits(first: Touched[], second: Touched[]): Promise<boolean> {
  const order = new FileOrder();
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = order.run(first, () => promise);
  let begun = false;
  const after = order.run(second, () => {
    begun = true;
  });
  const waited = !begun;
  resolve();
  await before;
  await after;
  expect(begun).toBe(true);
  return waited;
}

describe("the order of file calls", () => {
  const cases: [string, Touched[], Touched[], boolean][] = [
    ["a read waits for a change of the same path", [changes("/a/b")], [reads("/a/b")], true],
    ["a change waits for a read of the same path", [reads("/a/b")], [changes("/a/b")], true],
    ["two reads of one path overlap", [reads("/a/b")], [reads("/a/b")], false],
    ["a read waits for a change of a parent", [changes("/a")], [reads("/a/b/c")], true],
    ["a read of a parent waits for a change below", [changes("/a/b/c")], [reads("/a")], true],
    ["everything is below the root", [changes("/")], [reads("/a")], true],
    ["changes of unrelated paths overlap", [changes("/a/b")], [changes("/a/c")], false],
    ["a name that only begins alike is another", [changes("/a/b")], [reads("/a/bc")], false],
    ["slashes and dots make no other path", [changes("/a//b/./c/")], [reads("/a/b/c")], true],
    ["a path that climbs may be anywhere", [changes("/x/../a")], [reads("/a/b")], true],
    ["bytes and text name the same path", [changes(Buffer.from("/ö/b"))], [reads("/ö/b")], true],
    ["bytes that are no text are told apart", [changes(Buffer.from([0x2f, 0xff]))], [
      reads(Buffer.from([0x2f, 0xfe])),
    ], false],
    ["calls by one handle keep their order", [handle("h")], [handle("h")], true],
    ["calls by two handles overlap", [handle("h")], [handle("i")], false],
    ["one of several paths is enough", [reads("/a"), changes("/b")], [reads("/c"), reads("/b/c")], true],
  ];
  for (const [name, first, second, expected] of cases) {
    test(name, async () => expect(await waits(first, second)).toBe(expected));
  }

  test("what has nothing to wait for is done at once", () => {
    const order = new FileOrder();
    expect(order.run([changes("/a")], () => 1)).toBe(1);
    expect(order.run([changes("/a")], () => 2)).toBe(2);
  });

  test("a call that fails holds up nobody after it", async () => {
    const order = new FileOrder();
    const failed = order.run([changes("/a")], () => Promise.reject(new Error("no")));
    const next = order.run([changes("/a")], () => "done");
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("done");
  });

  test("a chain of changes of one path is done in the order it came", async () => {
    const order = new FileOrder();
    const done: number[] = [];
    const all = Array.from({ length: 20 }, (_, i) =>
      order.run([changes("/a")], async () => {
        await Bun.sleep((20 - i) % 3);
        done.push(i);
      }));
    await Promise.all(all);
    expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });
});
