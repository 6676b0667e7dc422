import { FFIType, ptr } from "bun:ffi";
import { cLibrary } from "../../lib/base/c_library.ts";

/** More than any system's `struct termios`. */
const TERMIOS_BYTES = 256;
const AT_ONCE = 0;

const open = cLibrary({
  tcgetattr: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  tcsetattr: { args: [FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  cfmakeraw: { args: [FFIType.ptr], returns: FFIType.void },
});

/** A terminal's settings as they are, to be put back to the last bit. */
export interface SavedMode {
  /** Every key becomes bytes and every byte is shown as it is. May be called again. */
  setRaw(): void;
  restore(): void;
}

/**
 * null where the descriptor is no terminal. Not the runtime's own raw mode: that one still puts a carriage return
 * before every newline, and full-screen programs then draw in the wrong column.
 */
export function saveMode(fd: number): SavedMode | null {
  if (process.platform === "win32") return saveModeOfConsole();
  const libc = open();
  const saved = new Uint8Array(TERMIOS_BYTES);
  if (libc.tcgetattr(fd, ptr(saved)) !== 0) return null;
  const raw = saved.slice();
  libc.cfmakeraw(ptr(raw));
  return {
    setRaw: () => void libc.tcsetattr(fd, AT_ONCE, ptr(raw)),
    restore: () => void libc.tcsetattr(fd, AT_ONCE, ptr(saved)),
  };
}

/** The runtime's own way, where there is no other. */
function saveModeOfConsole(): SavedMode | null {
  if (!process.stdin.isTTY) return null;
  return {
    setRaw: () => void process.stdin.setRawMode(true),
    restore: () => void process.stdin.setRawMode(false),
  };
}
