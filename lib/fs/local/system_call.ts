import { osErrorCode } from "../../base/os_error.ts";
import { FsError, systemError } from "../fs_error.ts";

/** What node:fs threw, as an FsError: the system's own words, without paths and without the runtime's. */
export function asFsError(error: unknown): unknown {
  if (error instanceof FsError) return error;
  const code = osErrorCode(error);
  return code === null || code.startsWith("ERR_") ? error : systemError(code);
}

/** Does something with node:fs that ends at once. */
export function now<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw asFsError(error);
  }
}

/** The answer, or null where there is nothing of that name. */
export function unlessMissing<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (osErrorCode(error) === "ENOENT") return null;
    throw asFsError(error);
  }
}
