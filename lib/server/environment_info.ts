import { homedir } from "node:os";
import { isAbsolute, resolve } from "@std/path";
import { accountHome, accountShell } from "../process/local/host_info.ts";
import { version } from "../version.ts";
import type { EnvironmentInfo } from "../wire/environment_messages.ts";
import { fileUriFromPath } from "../wire/file_uri.ts";

/** What this machine is, in the protocol's words. Capabilities name only what is built. */
export function environmentInfo(): EnvironmentInfo {
  const temp = process.env["TMPDIR"];
  const home = homeDirectory();
  return {
    shell: accountShell(),
    executorVersion: version,
    providerId: providerId(),
    cwd: workingDirectory(),
    ...(home === null ? {} : { userHomeDir: uri(home) }),
    platformOs: process.platform === "darwin" ? "macos" : process.platform === "win32" ? "windows" : "linux",
    temporaryDirectories: temp ? [uri(resolve(temp))] : [],
    tempDir: uri(temp ? resolve(temp) : "/tmp"),
    capabilities: {},
  };
}

function workingDirectory(): string | null {
  try {
    return uri(process.cwd());
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

let provider: string | undefined;

function providerId(): string {
  return (provider ??= `sha256:${
    new Bun.CryptoHasher("sha256").update(`exec-server ${version}`).digest("hex")
  }`);
}

function uri(path: string): string {
  return fileUriFromPath(path).href;
}
