import { describe, expect, test } from "bun:test";
import type { ProcessHandle, WriteStatus } from "../../lib/process/backend.ts";
import { Input } from "../../lib/process/input.ts";

type Answer = { writeId: string; size: number } & PromiseWithResolvers<WriteStatus>;

/** A process that answers writes when the test says so. */
function setUp() {
  const writes: Answer[] = [];
  const take = (writeId: string, size: number) => {
    const answer = { writeId, size, ...Promise.withResolvers<WriteStatus>() };
    writes.push(answer);
    return answer.promise;
  };
  const process = {
    write: (bytes: Uint8Array, writeId: string) => take(writeId, bytes.length),
    closeInput: (writeId: string) => take(writeId, -1),
  };
  return { writes, input: new Input(process as Partial<ProcessHandle> as ProcessHandle) };
}

/** Whether it has settled when all that is ready has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => (settled = true), () => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe("an input", () => {
  test("numbers its writes from 1 and cuts what is large", async () => {
    const { writes, input } = setUp();
    const writing = input.write(new Uint8Array(150_000));
    await writing;
    const ending = input.end();
    expect(writes.map(({ writeId, size }) => [writeId, size]))
      .toEqual([["1", 65_536], ["2", 65_536], ["3", 18_928], ["4", -1]]);
    for (const { resolve } of writes) resolve("accepted");
    expect(await ending).toBe("accepted");
  });

  test("has few writes on their way, and waits for room", async () => {
    const { writes, input } = setUp();
    const writing = input.write(new Uint8Array(40 * 65_536));
    expect(await isSettled(writing)).toBe(false);
    expect(writes.length).toBe(16);
    writes[0]!.resolve("accepted");
    writes[1]!.resolve("accepted");
    expect(await isSettled(writing)).toBe(false);
    expect(writes.length).toBe(18);
    for (let n = 2; n < 40; n++) {
      writes[n]!.resolve("accepted");
      await isSettled(writing);
    }
    expect(await writing).toBe("accepted");
  });

  test("ends only when everything is accepted", async () => {
    const { writes, input } = setUp();
    await input.write(new Uint8Array(1));
    const ending = input.end();
    writes[1]!.resolve("accepted");
    expect(await isSettled(ending)).toBe(false);
    writes[0]!.resolve("accepted");
    expect(await ending).toBe("accepted");
  });

  test("writes no more once nobody reads", async () => {
    const { writes, input } = setUp();
    await input.write(new Uint8Array(1));
    writes[0]!.resolve("stdinClosed");
    expect(await input.settled()).toBe("stdinClosed");
    expect(await input.write(new Uint8Array(1))).toBe("stdinClosed");
    expect(await input.end()).toBe("stdinClosed");
    expect(writes.length).toBe(1);
  });

  test("tells a failure to whoever writes next, and to whoever waits", async () => {
    const { writes, input } = setUp();
    const writing = input.write(new Uint8Array(17 * 65_536));
    await isSettled(writing);
    writes[3]!.reject(new Error("lost"));
    await expect(writing).rejects.toThrow("lost");
    await expect(input.write(new Uint8Array(1))).rejects.toThrow("lost");
    await expect(input.end()).rejects.toThrow("lost");
  });
});
