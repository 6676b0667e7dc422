import { machineArm64 } from "./machine_arm64.ts";
import { littleEndian } from "./machine_code.ts";
import { machineX64 } from "./machine_x64.ts";
import type { Arch } from "./numbers.ts";

/** Each page size of arm64 divides it, so that one file fits all kernels. */
const ALIGNMENT = 0x1_0000;
const LOAD_ADDRESS = 0x40_0000;
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;

/**
 * The program that runs a plan (see `plan_layout.ts`) from its fd 3: a static ELF file without libc, stack or
 * data. It knows records, not what they are for. Made here and not by a compiler, so that both architectures are
 * in every build, byte for byte the same.
 */
export function helperElf(arch: Arch): Uint8Array {
  const code = arch === "x64" ? machineX64() : machineArm64();
  const start = HEADER_BYTES + SEGMENT_BYTES;
  const size = start + code.length;
  return Uint8Array.from([
    ...[0x7f, 0x45, 0x4c, 0x46], // magic: ELF
    ...[2, 1, 1, 0], // 64 bits, little endian, version 1, System V
    ...[0, 0, 0, 0, 0, 0, 0, 0], // padding
    ...littleEndian(2, 2), // type: executable at fixed addresses
    ...littleEndian(arch === "x64" ? 62 : 183, 2), // machine: EM_X86_64, EM_AARCH64
    ...littleEndian(1, 4), // version
    ...littleEndian(LOAD_ADDRESS + start, 8), // entry
    ...littleEndian(HEADER_BYTES, 8), // where the segments are described
    ...littleEndian(0, 8), // where sections are: there are none
    ...littleEndian(0, 4), // flags
    ...littleEndian(HEADER_BYTES, 2), // size of this header
    ...littleEndian(SEGMENT_BYTES, 2), // size of a segment's description
    ...littleEndian(1, 2), // how many segments
    ...[0, 0, 0, 0, 0, 0], // no sections

    ...littleEndian(1, 4), // the one segment: PT_LOAD
    ...littleEndian(5, 4), // to be read and executed, never written
    ...littleEndian(0, 8), // from the file's begin
    ...littleEndian(LOAD_ADDRESS, 8), // address
    ...littleEndian(LOAD_ADDRESS, 8), // physical address: nobody looks
    ...littleEndian(size, 8), // so much of the file
    ...littleEndian(size, 8), // so much of memory
    ...littleEndian(ALIGNMENT, 8),

    ...code,
  ]);
}
