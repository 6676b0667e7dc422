import { FFIType, ptr } from "bun:ffi";
import { cLibrary } from "../base/c_library.ts";
import { AF_UNIX, O_CLOEXEC } from "./linux.ts";

/** The system calls by which descriptors are passed; opened on first use. */
/** Messages stay whole, and the end of the line is seen. */
const SOCK_SEQPACKET = 5;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
/** Of `struct msghdr`, in words of 8 bytes. */
const MSGHDR = { words: 7, iov: 2, iovlen: 3, control: 4, controllen: 5 } as const;

const libc = cLibrary({
  socketpair: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  recvmsg: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i64_fast },
});

/** Two ends of a line for messages, closed in children that are not given one; null where there are too many open files. */
export function makeSocketPair(): { ours: number; theirs: number } | null {
  const ends = new Int32Array(2);
  if (libc().socketpair(AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, ptr(ends)) !== 0) return null;
  return { ours: ends[0]!, theirs: ends[1]! };
}

/**
 * What a message that has come brings along besides its text, at most so many bytes of it; null where none has come. Never
 * waits. Descriptors in it are open here from now on, and closed in children.
 */
export function receive(fd: number, most: number): Uint8Array | null {
  const [text, control, iov] = [new Uint8Array(8), new Uint8Array(most), new BigUint64Array(2)];
  iov[0] = BigInt(ptr(text));
  iov[1] = BigInt(text.length);
  const header = new BigUint64Array(MSGHDR.words);
  header[MSGHDR.iov] = BigInt(ptr(iov));
  header[MSGHDR.iovlen] = 1n;
  header[MSGHDR.control] = BigInt(ptr(control));
  header[MSGHDR.controllen] = BigInt(most);
  const length = Number(libc().recvmsg(fd, ptr(header), MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
  return length > 0 ? control.subarray(0, Number(header[MSGHDR.controllen])) : null;
}
