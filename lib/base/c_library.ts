import { dlopen } from "bun:ffi";

type Symbols = Parameters<typeof dlopen>[1];

/**
 * Functions of the C library that the runtime does not offer. It is opened when it is first asked for; that throws where
 * the library has no such name.
 */
export function cLibrary<const S extends Symbols>(symbols: S): () => ReturnType<typeof dlopen<S>>["symbols"] {
  let opened: ReturnType<typeof dlopen<S>>["symbols"] | undefined;
  return () => (opened ??= open(symbols));
}

function open<const S extends Symbols>(symbols: S) {
  if (process.platform === "darwin") return dlopen("libSystem.B.dylib", symbols).symbols;
  try {
    return dlopen("libc.so.6", symbols).symbols;
  } catch {
    // musl carries the machine's name in the library's.
    return dlopen(`libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, symbols).symbols;
  }
}
