import type { TreeFacts } from "../process/limits.ts";
import { hostFacts } from "../process/local/host_facts.ts";
import { bestTrees } from "../process/local/tree/tree_support.ts";
import { version } from "../version.ts";
import type { EnvironmentInfo } from "../wire/environment_messages.ts";
import { fileUriFromPath } from "../wire/file_uri.ts";

/** What this machine is, in the protocol's words. Capabilities name only what is built. */
export function environmentInfo(): EnvironmentInfo {
  const { shell, platform, cwd, home, namedTemp, temp } = hostFacts();
  return {
    shell,
    executorVersion: version,
    providerId: providerId(),
    cwd: cwd === null ? null : uri(cwd),
    ...(home === null ? {} : { userHomeDir: uri(home) }),
    platformOs: platform,
    temporaryDirectories: namedTemp === null ? [] : [uri(namedTemp)],
    tempDir: uri(temp),
    capabilities: {
      capabilityDiscoverySandbox: process.platform === "linux",
      fsWatchMissing: process.platform === "linux",
      fileWriteStreaming: true,
      httpHeaderEnvVars: true,
      sandboxedFileStreaming: process.platform === "linux",
    },
  };
}

/** How far this machine can follow what a process starts. */
export function treeFacts(): TreeFacts {
  const { tier, limits, failing } = bestTrees();
  return { tier, limits, failing };
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
