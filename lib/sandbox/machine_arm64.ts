import { littleEndian, MachineCode } from "./machine_code.ts";
import { syscallNumber } from "./numbers.ts";
import {
  FAILURE_OFFSET,
  PLAN_ADDRESS,
  PLAN_FD,
  PLAN_LIMIT,
  RECORD_BYTES,
  SETUP_FAILED_EXIT,
  STATUS_FD,
} from "./plan_layout.ts";

const SVC = 0xd400_0001;
const EQ = 0;
const NE = 1;
const CS = 2;

/**
 * The interpreter for arm64, step by step as the one for x64. x19 is the plan, x20 the record at hand; x9 and x10
 * are what is looked at just now. The kernel keeps all registers but x0. No stack is used.
 */
export function machineArm64(): Uint8Array {
  const code = new MachineCode();
  const add = (word: number) => code.add(...littleEndian(word, 4));
  /** Branches keep how many instructions to go in a field of so many bits. */
  const branch = (opcode: number, to: string, bits: number, shift: number) =>
    code.jump(to, (offset) => littleEndian((opcode | field(offset / 4, bits) << shift) >>> 0, 4));
  const b = (to: string) => branch(0x1400_0000, to, 26, 0);
  const bIf = (condition: number, to: string) => branch(0x5400_0000 | condition, to, 19, 5);

  // mmap(PLAN_ADDRESS, PLAN_LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, PLAN_FD, 0)
  add(movHigh(19, PLAN_ADDRESS)); // movz x19, PLAN_ADDRESS >> 16, lsl 16
  add(0xaa13_03e0); // mov x0, x19
  add(movHigh(1, PLAN_LIMIT)); // movz x1, PLAN_LIMIT >> 16, lsl 16
  add(mov(2, 3)); // mov x2, PROT_READ | PROT_WRITE
  add(mov(3, 0x12)); // mov x3, MAP_PRIVATE | MAP_FIXED
  add(mov(4, PLAN_FD)); // mov x4, PLAN_FD
  add(mov(5, 0)); // mov x5, 0
  add(mov(8, syscallNumber("mmap", "arm64"))); // mov x8, mmap
  add(SVC); // svc 0
  add(0xeb13_001f); // cmp x0, x19
  bIf(NE, "quit"); // b.ne quit: without the plan there is nothing to say
  add(ldr(20, 19, 0)); // ldr x20, [x19]: the plan begins with the address of its first record

  code.place("run");
  add(ldr(8, 20, 0)); // ldr x8, [x20]
  add(0xb100_051f); // cmn x8, 1: BRANCH?
  bIf(EQ, "branch"); // b.eq branch
  add(0xb100_091f); // cmn x8, 2: STORE?
  bIf(EQ, "store"); // b.eq store
  add(0xa940_8680); // ldp x0, x1, [x20, 8]
  add(0xa941_8e82); // ldp x2, x3, [x20, 24]
  add(0xa942_9684); // ldp x4, x5, [x20, 40]
  add(SVC); // svc 0
  add(ldr(9, 20, 56)); // ldr x9, [x20, 56]: where the result goes
  branch(0xb400_0009, "judge", 19, 5); // cbz x9, judge: nowhere
  add(0xf900_0120); // str x0, [x9]
  code.place("judge");
  add(0xb13f_fc1f); // cmn x0, 4095
  bIf(CS, "failed"); // b.cs failed: the kernel's errors are -4095 to -1
  branch(0xb500_0000, "advance", 19, 5); // cbnz x0, advance

  code.place("zero");
  add(ldr(9, 20, 72)); // ldr x9, [x20, 72]: how far to go after zero
  code.place("jump");
  add(0x8b09_0294); // add x20, x20, x9
  b("run"); // b run
  code.place("advance");
  add(0x9100_0294 | RECORD_BYTES << 10); // add x20, x20, RECORD_BYTES
  b("run"); // b run

  code.place("branch");
  add(ldr(9, 20, 8)); // ldr x9, [x20, 8]
  add(0xb940_0129); // ldr w9, [x9]
  add(0xb940_128a); // ldr w10, [x20, 16]
  add(0x6b0a_013f); // cmp w9, w10
  bIf(EQ, "zero"); // b.eq zero
  b("advance"); // b advance

  code.place("store");
  add(ldr(9, 20, 8)); // ldr x9, [x20, 8]
  add(ldr(9, 9, 0)); // ldr x9, [x9]
  add(ldr(10, 20, 16)); // ldr x10, [x20, 16]
  add(0x9b0a_7d29); // mul x9, x9, x10: by 1 to copy, by -1 to negate
  add(ldr(10, 20, 56)); // ldr x10, [x20, 56]
  add(0xf900_0149); // str x9, [x10]
  b("advance"); // b advance

  code.place("failed");
  add(ldr(9, 20, 64)); // ldr x9, [x20, 64]: how far to go after an error
  branch(0x3600_0009, "jump", 14, 5); // tbz w9, 0, jump: it is not FAIL
  add(0x4b00_03e0); // neg w0, w0
  add(storeHalf(0, 19, FAILURE_OFFSET)); // str w0, [failure.errno]
  add(ldr(9, 19, 0)); // ldr x9, [the first record]
  add(0xcb09_0294); // sub x20, x20, x9
  add(mov(9, RECORD_BYTES)); // mov x9, RECORD_BYTES
  add(0x9ac9_0a94); // udiv x20, x20, x9
  add(storeHalf(20, 19, FAILURE_OFFSET + 4)); // str w20, [failure.record]
  add(mov(0, STATUS_FD)); // mov x0, STATUS_FD
  add(0x9100_0261 | FAILURE_OFFSET << 10); // add x1, x19, FAILURE_OFFSET
  add(mov(2, 8)); // mov x2, 8
  add(mov(8, syscallNumber("write", "arm64"))); // mov x8, write
  add(SVC); // svc 0
  code.place("quit");
  add(mov(0, SETUP_FAILED_EXIT)); // mov x0, SETUP_FAILED_EXIT
  add(mov(8, syscallNumber("exit_group", "arm64"))); // mov x8, exit_group
  add(SVC); // svc 0
  return code.build();
}

/** movz xN, value */
function mov(register: number, value: number): number {
  return (0xd280_0000 | value << 5 | register) >>> 0;
}

/** movz xN, value >> 16, lsl 16 */
function movHigh(register: number, value: number): number {
  return (0xd2a0_0000 | value >>> 16 << 5 | register) >>> 0;
}

/** ldr xN, [xM, offset] */
function ldr(register: number, base: number, offset: number): number {
  return (0xf940_0000 | offset / 8 << 10 | base << 5 | register) >>> 0;
}

/** str wN, [xM, offset] */
function storeHalf(register: number, base: number, offset: number): number {
  return (0xb900_0000 | offset / 4 << 10 | base << 5 | register) >>> 0;
}

function field(value: number, bits: number): number {
  return value & (2 ** bits - 1);
}
