import { homedir } from "node:os";
import { isAbsolute, resolve } from "@std/path";
import { accountHome, accountShell, type Shell } from "./host_info.ts";

/** What is known of this machine without asking anybody; paths as the system writes them. */
export interface HostFacts {
  readonly shell: Shell;
  readonly platform: "linux" | "macos" | "windows";
  /** null when the directory is gone. */
  readonly cwd: string | null;
  readonly home: string | null;
  /** $TMPDIR where it is set. */
  readonly namedTemp: string | null;
  readonly temp: string;
}

export function hostFacts(): HostFacts {
  const namedTemp = process.env["TMPDIR"] ? resolve(process.env["TMPDIR"]) : null;
  return {
    shell: accountShell(),
    platform: process.platform === "darwin" ? "macos" : process.platform === "win32" ? "windows" : "linux",
    cwd: workingDirectory(),
    home: homeDirectory(),
    namedTemp,
    temp: namedTemp ?? "/tmp",
  };
}

function workingDirectory(): string | null {
  try {
    return process.cwd();
  } catch {
    return null; // somebody removed it
  }
}

/** $HOME where it is absolute, the account's where it is not set; nothing where it is relative. */
function homeDirectory(): string | null {
  const home = process.env["HOME"];
  if (home === undefined) return accountHome() ?? homedir();
  return isAbsolute(home) ? home : null;
}
