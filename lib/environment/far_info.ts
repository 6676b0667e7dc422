import { fileURLToPath } from "node:url";
import type { EnvironmentInfo } from "./environment.ts";
import type { FarInfo } from "./far_client.ts";

/** What a server told about itself, in our words. */
export function infoFrom(info: FarInfo, extensions: readonly string[]): EnvironmentInfo {
  return {
    shell: { name: info.shell.name, path: info.shell.path },
    version: info.executorVersion ?? null,
    platform: info.platformOs ?? null,
    cwd: pathFrom(info.cwd),
    home: pathFrom(info.userHomeDir),
    tempDir: pathFrom(info.tempDir),
    features: Object.entries(info.capabilities ?? {}).flatMap(([name, has]) => (has === true ? [name] : [])),
    extensions,
  };
}

/** null also for what is no path of this kind of machine: nobody could use it. Old servers tell plain paths. */
function pathFrom(uri: string | null | undefined): string | null {
  if (uri === null || uri === undefined) return null;
  if (uri.startsWith("/")) return uri;
  try {
    return fileURLToPath(uri);
  } catch {
    return null;
  }
}
