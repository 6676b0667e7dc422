import { describe, expect, test } from "bun:test";
import type { Arch } from "../../lib/sandbox/numbers.ts";
import { DATA_OFFSET, PLAN_ADDRESS, PLAN_LIMIT } from "../../lib/sandbox/plan_layout.ts";
import { Program } from "../../lib/sandbox/program.ts";
import { UnenforceableError } from "../../lib/sandbox/unenforceable.ts";

const what = "a test";

/** The records of a built plan, each as its ten words. */
function recordsOf(plan: Uint8Array): bigint[][] {
  const first = firstRecord(plan);
  const words = new BigInt64Array(plan.slice(first).buffer);
  return Array.from({ length: words.length / 10 }, (_, i) => [...words.subarray(i * 10, i * 10 + 10)]);
}

function firstRecord(plan: Uint8Array): number {
  return Number(new DataView(plan.buffer).getBigUint64(0, true)) - PLAN_ADDRESS;
}

/** What the plan will find at an address. */
function at(plan: Uint8Array, address: number, size: number): Buffer {
  return Buffer.from(plan.subarray(address - PLAN_ADDRESS, address - PLAN_ADDRESS + size));
}

describe("a program", () => {
  test("keeps texts with their zero byte, and other data on even addresses", () => {
    const program = new Program("x64");
    const text = program.text("/caf\xc3\xa9/\xff");
    const bytes = program.bytes(Uint8Array.of(1, 2, 3));
    const room = program.room(5);
    const words = program.words(text, -100, 0x1234_5678_9abc, 0xffff_ffff_ffff_fffen, -1n);
    const plan = program.build();
    expect(text as number).toBe(PLAN_ADDRESS + DATA_OFFSET);
    expect(at(plan, text, 9)).toEqual(Buffer.from([...Buffer.from("/café/"), 0xff, 0]));
    expect(at(plan, bytes, 3)).toEqual(Buffer.from([1, 2, 3]));
    expect(at(plan, room, 8)).toEqual(Buffer.alloc(8));
    for (const address of [bytes, room, words, firstRecord(plan)]) expect(address % 8).toBe(0);
    const kept = at(plan, words, 40);
    expect([0, 8, 16, 24, 32].map((offset) => kept.readBigInt64LE(offset))).toEqual([
      BigInt(text),
      -100n,
      0x1234_5678_9abcn,
      -2n,
      -1n,
    ]);
  });

  test("keeps all data where it said, however much there is", () => {
    const program = new Program("x64");
    const kept: { address: number; text: string }[] = [];
    for (let n = 0; n < 3000; n++) {
      const text = `/${n}/${"x".repeat(n % 97)}`;
      kept.push({ address: program.text(text), text });
    }
    const big = program.bytes(Buffer.alloc(300_000, 7));
    const many = program.array(Array.from({ length: 400_000 }, (_, i) => i));
    const plan = program.build();
    for (const { address, text } of kept) {
      expect(at(plan, address, text.length + 1).toString("latin1")).toBe(`${text}\0`);
    }
    for (const n of [0, 1, 399_999]) expect(at(plan, many + n * 8, 8).readBigInt64LE(0)).toBe(BigInt(n));
    expect(at(plan, big, 300_000)).toEqual(Buffer.alloc(300_000, 7));
  });

  for (const [arch, openat] of [["x64", 257n], ["arm64", 56n]] as const satisfies readonly [Arch, bigint][]) {
    test(`writes a call as the ${arch} machine reads it`, () => {
      const program = new Program(arch);
      const path = program.text("/x");
      const result = program.room(8);
      program.call("openat", [-100, path, 0x8000_0000, 0x1_0000_0001, -1n], { what, into: result });
      const [call] = recordsOf(program.build());
      const args = [-100n, BigInt(path), 0x8000_0000n, 0x1_0000_0001n, -1n, 0n];
      expect(call).toEqual([openat, ...args, BigInt(result), 1n, 80n]);
    });
  }

  test("counts jumps from the record that jumps: on, back, and to itself", () => {
    const program = new Program("x64");
    const [start, self, end] = [program.label(), program.label(), program.label()];
    program.place(start);
    program.call("getpid", [], { what, onError: "ignore", onZero: end });
    program.place(self);
    program.call("getpid", [], { what, onError: self, onZero: start });
    program.place(end);
    program.goto(start);
    const records = recordsOf(program.build());
    expect(records.slice(0, 3).map((record) => record.slice(8))).toEqual([[80n, 160n], [0n, -80n], [
      0n,
      -160n,
    ]]);
    expect(records).toHaveLength(4);
  });

  test("loads an argument by a record before the call, to which a label before the call leads", () => {
    const program = new Program("x64");
    const [pid, again] = [program.room(8), program.label()];
    program.call("getpid", [], { what, into: pid });
    program.place(again);
    program.call("kill", [{ load: pid }, { load: program.after(pid, 4) }], { what: "kill", path: "it" });
    program.goto(again);
    const plan = program.build();
    const [, first, second, kill, goto] = recordsOf(plan);
    const arguments_ = PLAN_ADDRESS + firstRecord(plan) + 3 * 80 + 8;
    expect(first).toEqual([-2n, BigInt(pid), 1n, 0n, 0n, 0n, 0n, BigInt(arguments_), 0n, 0n]);
    expect(second).toEqual([-2n, BigInt(pid) + 4n, 1n, 0n, 0n, 0n, 0n, BigInt(arguments_ + 8), 0n, 0n]);
    expect(kill).toEqual([62n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 1n, 80n]);
    expect(goto?.[9]).toBe(-240n);
    expect([0, 1, 3, 4, 5, 6].map((record) => program.what(record))).toEqual([
      "a test",
      "kill it",
      "kill it",
      "a branch",
      "the end of the plan",
      "record 6",
    ]);
  });

  test("shows paths as people read them", () => {
    const program = new Program("x64");
    program.call("getpid", [], { what: "open", path: "/caf\xc3\xa9" });
    expect(program.what(0)).toBe("open /café");
  });

  test("refuses texts that the system would read as others", () => {
    const program = new Program("x64");
    for (const text of ["/a\0b", "/\u0141", "/\u{1f4a9}"]) {
      expect(() => program.text(text)).toThrow(UnenforceableError);
    }
  });

  test("refuses to grow past what the machine maps, be it by data or by records", () => {
    const data = new Program("x64");
    data.room(PLAN_LIMIT - DATA_OFFSET - 80);
    expect(data.build()).toHaveLength(PLAN_LIMIT);
    data.room(1);
    expect(() => data.build()).toThrow(new UnenforceableError("plan > 16 MiB"));
    expect(() => data.bytes(new Uint8Array(100))).toThrow(new UnenforceableError("plan > 16 MiB"));
    const records = new Program("x64");
    for (let n = 0; n < PLAN_LIMIT / 80; n++) records.call("getpid", [], { what });
    expect(() => records.build()).toThrow(new UnenforceableError("plan > 16 MiB"));
  });

  test("finds the mistakes of whoever writes it", () => {
    const program = new Program("x64");
    const label = program.label();
    program.goto(label);
    expect(() => program.build()).toThrow("Cannot jump from a branch: its label has no place");
    program.place(label);
    expect(() => program.place(label)).toThrow("Cannot place label 0");
    expect(() => program.call("getpid", [1, 2, 3, 4, 5, 6, 7], { what })).toThrow("with 7 arguments");
  });
});
