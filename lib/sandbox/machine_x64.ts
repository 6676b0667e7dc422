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

const u32 = (value: number) => littleEndian(value, 4);
const number = (name: "mmap" | "write" | "exit_group") => u32(syscallNumber(name, "x64"));
const SYSCALL = [0x0f, 0x05] as const;

/**
 * The interpreter for x64. rbx is the record at hand; rcx is what is looked at just now. The kernel keeps all
 * registers but rax, rcx and r11. No stack is used.
 */
export function machineX64(): Uint8Array {
  const code = new MachineCode();
  /** A jump by one byte, counted from the end of the jump. */
  const jump = (opcode: number, to: string) => code.jump(to, (offset) => [opcode, short(offset - 2)]);

  // mmap(PLAN_ADDRESS, PLAN_LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, PLAN_FD, 0)
  code.add(0xbf, ...u32(PLAN_ADDRESS)); // mov edi, PLAN_ADDRESS
  code.add(0xbe, ...u32(PLAN_LIMIT)); // mov esi, PLAN_LIMIT
  code.add(0xba, ...u32(3)); // mov edx, PROT_READ | PROT_WRITE
  code.add(0x41, 0xba, ...u32(0x12)); // mov r10d, MAP_PRIVATE | MAP_FIXED
  code.add(0x41, 0xb8, ...u32(PLAN_FD)); // mov r8d, PLAN_FD
  code.add(0x45, 0x31, 0xc9); // xor r9d, r9d
  code.add(0xb8, ...number("mmap")); // mov eax, mmap
  code.add(...SYSCALL); // syscall
  code.add(0x48, 0x39, 0xf8); // cmp rax, rdi
  code.jump("quit", (offset) => [0x0f, 0x85, ...u32(offset - 6)]); // jne quit: no plan, nothing to say
  code.add(0x48, 0x8b, 0x1f); // mov rbx, [rdi]: the plan begins with the address of its first record

  code.place("run");
  code.add(0x48, 0x8b, 0x03); // mov rax, [rbx]
  code.add(0x48, 0x83, 0xf8, 0xff); // cmp rax, BRANCH
  jump(0x74, "branch"); // je branch
  code.add(0x48, 0x83, 0xf8, 0xfe); // cmp rax, STORE
  jump(0x74, "store"); // je store
  code.add(0x48, 0x8b, 0x7b, 8); // mov rdi, [rbx+8]
  code.add(0x48, 0x8b, 0x73, 16); // mov rsi, [rbx+16]
  code.add(0x48, 0x8b, 0x53, 24); // mov rdx, [rbx+24]
  code.add(0x4c, 0x8b, 0x53, 32); // mov r10, [rbx+32]
  code.add(0x4c, 0x8b, 0x43, 40); // mov r8, [rbx+40]
  code.add(0x4c, 0x8b, 0x4b, 48); // mov r9, [rbx+48]
  code.add(...SYSCALL); // syscall
  code.add(0x48, 0x8b, 0x4b, 56); // mov rcx, [rbx+56]: where the result goes
  jump(0xe3, "judge"); // jrcxz judge: nowhere
  code.add(0x48, 0x89, 0x01); // mov [rcx], rax
  code.place("judge");
  code.add(0x48, 0x3d, ...u32(-4095)); // cmp rax, -4095
  jump(0x73, "failed"); // jae failed: the kernel's errors are -4095 to -1
  code.add(0x48, 0x85, 0xc0); // test rax, rax
  jump(0x75, "advance"); // jnz advance

  code.place("zero");
  code.add(0x48, 0x8b, 0x4b, 72); // mov rcx, [rbx+72]: how far to go after zero
  code.place("jump");
  code.add(0x48, 0x01, 0xcb); // add rbx, rcx
  jump(0xeb, "run"); // jmp run
  code.place("advance");
  code.add(0x48, 0x83, 0xc3, RECORD_BYTES); // add rbx, RECORD_BYTES
  jump(0xeb, "run"); // jmp run

  code.place("branch");
  code.add(0x48, 0x8b, 0x43, 8); // mov rax, [rbx+8]
  code.add(0x8b, 0x00); // mov eax, [rax]
  code.add(0x3b, 0x43, 16); // cmp eax, [rbx+16]
  jump(0x74, "zero"); // je zero
  jump(0xeb, "advance"); // jmp advance

  code.place("store");
  code.add(0x48, 0x8b, 0x43, 8); // mov rax, [rbx+8]
  code.add(0x48, 0x8b, 0x00); // mov rax, [rax]
  code.add(0x48, 0x0f, 0xaf, 0x43, 16); // imul rax, [rbx+16]: by 1 to copy, by -1 to negate
  code.add(0x48, 0x8b, 0x4b, 56); // mov rcx, [rbx+56]
  code.add(0x48, 0x89, 0x01); // mov [rcx], rax
  jump(0xeb, "advance"); // jmp advance

  code.place("failed");
  code.add(0x48, 0x8b, 0x4b, 64); // mov rcx, [rbx+64]: how far to go after an error
  code.add(0xf6, 0xc1, 0x01); // test cl, FAIL
  jump(0x74, "jump"); // jz jump
  code.add(0xf7, 0xd8); // neg eax
  code.add(0x89, 0x04, 0x25, ...u32(PLAN_ADDRESS + FAILURE_OFFSET)); // mov [failure.errno], eax
  code.add(0x89, 0xd8); // mov eax, ebx
  code.add(0x2b, 0x04, 0x25, ...u32(PLAN_ADDRESS)); // sub eax, [the first record]
  code.add(0x31, 0xd2); // xor edx, edx
  code.add(0xb9, ...u32(RECORD_BYTES)); // mov ecx, RECORD_BYTES
  code.add(0xf7, 0xf1); // div ecx
  code.add(0x89, 0x04, 0x25, ...u32(PLAN_ADDRESS + FAILURE_OFFSET + 4)); // mov [failure.record], eax
  code.add(0xbf, ...u32(STATUS_FD)); // mov edi, STATUS_FD
  code.add(0xbe, ...u32(PLAN_ADDRESS + FAILURE_OFFSET)); // mov esi, failure
  code.add(0xba, ...u32(8)); // mov edx, 8
  code.add(0xb8, ...number("write")); // mov eax, write
  code.add(...SYSCALL); // syscall
  code.place("quit");
  code.add(0xbf, ...u32(SETUP_FAILED_EXIT)); // mov edi, SETUP_FAILED_EXIT
  code.add(0xb8, ...number("exit_group")); // mov eax, exit_group
  code.add(...SYSCALL); // syscall
  return code.build();
}

function short(offset: number): number {
  if (offset < -128 || offset > 127) throw new RangeError(`Cannot say ${offset} with one byte`);
  return offset & 0xff;
}
