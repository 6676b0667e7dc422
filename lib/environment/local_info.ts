import { hostFacts } from "../process/local/host_facts.ts";
import { version } from "../version.ts";
import type { EnvironmentInfo } from "./environment.ts";

/** What this machine is, as a server on it would tell. */
export function localInfo(): EnvironmentInfo {
  const { shell, platform, cwd, home, temp } = hostFacts();
  return { shell, version, platform, cwd, home, tempDir: temp, features: [], extensions: null };
}
