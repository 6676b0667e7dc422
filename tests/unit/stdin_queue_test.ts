import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChildStdin } from "../../lib/process/local/child.ts";
import { StdinQueue } from "../../lib/process/local/stdin_queue.ts";

const MEGA = 1024 * 1024;
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** An input that takes one chunk whenever the test says so. */
class SlowInput implements ChildStdin {
  readonly written: string[] = [];
  #taken: (() => void) | null = null;

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(new TextDecoder().decode(bytes));
    return new Promise((resolve) => (this.#taken = resolve));
  }

  finish(): void {
    this.written.push("<finish>");
  }

  end(): void {
    this.written.push("<end>");
  }

  /** The child reads what was written. False if nothing was. */
  async takeOne(): Promise<boolean> {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    return taken !== null;
  }

  async takeAll(): Promise<void> {
    while (await this.takeOne());
  }
}

function filled(chunk = bytesOf(".")): { input: SlowInput; queue: StdinQueue; accepted: number } {
  const input = new SlowInput();
  const queue = new StdinQueue(input, false);
  let accepted = 0;
  for (;;) {
    const status = queue.write(chunk, `fill ${accepted}`);
    if (status === "accepted") accepted += 1;
    else {
      Promise.resolve(status).catch(() => {}); // one waits for room, and may wait in vain
      return { input, queue, accepted };
    }
  }
}

describe("StdinQueue", () => {
  test("a write that is given up before there was room was never written, and can be said again", async () => {
    const { input, queue } = filled();
    const gone = new AbortController();
    const write = queue.write(bytesOf("again"), "again", gone.signal) as Promise<string>;
    const close = queue.close("close", gone.signal) as Promise<string>;
    gone.abort();
    await expect(write).rejects.toThrow("given up");
    await expect(close).rejects.toThrow("given up");
    await input.takeAll();
    expect(input.written).not.toContain("again");
    expect(queue.write(bytesOf("again"), "again")).toBe("accepted");
    await input.takeAll();
    expect(input.written.filter((text) => text === "again")).toHaveLength(1);
    expect(input.written).not.toContain("<finish>");
  });

  test("accepts 128 chunks beside the one being written, and the next waits for room", async () => {
    const { input, queue, accepted } = filled();
    expect(accepted).toBe(129);
    const later = queue.write(bytesOf("later"), "later") as Promise<string>;
    let status: string | null = null;
    void later.then((told) => (status = told));
    await input.takeOne(); // lets in the one that filled() left waiting
    expect(status).toBeNull();
    await input.takeOne();
    expect(await later).toBe("accepted");
  });

  test("large chunks are bounded by their bytes, but one is always let in", () => {
    expect(filled(new Uint8Array(4 * MEGA)).accepted).toBe(1 + 4);
    expect(filled(new Uint8Array(40 * MEGA)).accepted).toBe(1 + 1);
  });

  test("an empty chunk uses up its id and nothing else", () => {
    const input = new SlowInput();
    const queue = new StdinQueue(input, false);
    for (let n = 0; n < 1_000; n++) expect(queue.write(new Uint8Array(0), `e${n}`)).toBe("accepted");
    expect(input.written).toEqual([]);
    expect(queue.write(bytesOf("ignored"), "e0")).toBe("accepted");
    expect(input.written).toEqual([]);
  });

  test("an id that is repeated while its first write waits is written once", async () => {
    const { input, queue } = filled();
    const first = queue.write(bytesOf("once"), "same");
    const again = queue.write(bytesOf("twice"), "same");
    await input.takeAll();
    expect(await Promise.all([first, again])).toEqual(["accepted", "accepted"]);
    expect(input.written.filter((text) => text === "once" || text === "twice")).toEqual(["once"]);
  });

  test("the end of input comes after everything accepted before it, and nothing comes after it", async () => {
    const { input, queue } = filled();
    const closing = queue.close("close");
    expect(queue.write(bytesOf("late"), "late")).toBe("stdinClosed");
    expect(queue.close("close again")).toBe("stdinClosed");
    await input.takeAll();
    expect(await closing).toBe("accepted");
    expect(queue.close("close")).toBe("accepted"); // a repeat is acknowledged
    expect(input.written.slice(-2)).toEqual([".", "<finish>"]);
    expect(input.written).toHaveLength(131);
  });

  test("on a terminal the end of input is a key, and writing goes on", async () => {
    const input = new SlowInput();
    const queue = new StdinQueue(input, true);
    await queue.write(bytesOf("a"), "1");
    await queue.close("2");
    await queue.write(bytesOf("b"), "3");
    await input.takeAll();
    expect(input.written).toEqual(["a", "<finish>", "b"]);
  });

  test("after the child's end writes are accepted and vanish, those that waited too", async () => {
    const { input, queue } = filled();
    const waiting = queue.write(bytesOf("waiting"), "waiting");
    queue.end();
    expect(await waiting).toBe("accepted");
    expect(queue.write(bytesOf("late"), "late")).toBe("accepted");
    await input.takeAll();
    expect(input.written).toEqual([".", "<end>"]);
  });

  test("after an end by force writes fail, those that waited too, and known ids are still acknowledged", async () => {
    const { input, queue } = filled();
    const waiting = queue.write(bytesOf("waiting"), "waiting") as Promise<string>;
    queue.cut();
    const refused = "failed to write to process stdin";
    await expect(waiting).rejects.toThrow(refused);
    expect(() => queue.write(bytesOf("late"), "late")).toThrow(refused);
    expect(queue.write(bytesOf("known"), "fill 0")).toBe("accepted");
    queue.end(); // the exit that follows changes nothing
    expect(() => queue.write(bytesOf("later"), "later")).toThrow(refused);
    expect(input.written).toEqual([".", "<end>"]);
  });

  test("whatever is written and read in whatever order, each id is written once, in order", async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ write: fc.nat(30), size: fc.constantFrom(1, 3, 9 * MEGA) }) },
      { weight: 2, arbitrary: fc.constant("take" as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const input = new SlowInput();
        const sizes: number[] = [];
        const write = input.write.bind(input);
        input.write = (bytes) => {
          sizes.push(bytes[0]!);
          return write(bytes.subarray(0, 1));
        };
        const queue = new StdinQueue(input, false);
        const firsts: number[] = [];
        const pending: unknown[] = [];
        for (const step of steps) {
          if (step === "take") {
            await input.takeOne();
            continue;
          }
          if (!firsts.includes(step.write)) firsts.push(step.write);
          const bytes = new Uint8Array(step.size).fill(step.write, 0, 1);
          pending.push(queue.write(bytes, `id ${step.write}`));
        }
        await input.takeAll();
        expect(new Set(await Promise.all(pending)).size).toBeLessThanOrEqual(1);
        expect(sizes).toEqual(firsts);
      }),
      { numRuns: 60 },
    );
  });
});
