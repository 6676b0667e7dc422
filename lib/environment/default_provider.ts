import { codexHome, environmentsTomlPath, type Variables } from "./codex_home.ts";
import { LOCAL_ENVIRONMENT_ID, REMOTE_ENVIRONMENT_ID } from "./environment.ts";
import { EnvironmentError } from "./environment_error.ts";
import type { EnvironmentProvider, EnvironmentSnapshot } from "./environment_provider.ts";
import { isThere } from "./toml_file.ts";

/** Ours first; Codex's own is understood too. */
export const URL_VARIABLES = ["EXEC_SERVER_URL", "CODEX_EXEC_SERVER_URL"] as const;

/** A variable that names a server: its value, or that there is to be none. null when no variable says anything. */
export type NamedByVariable = { readonly variable: string; readonly url: string | "none" };

/** What the environment variables say about where to run. Throws an EnvironmentError for those of a relay. */
export function namedByVariable(env: Variables): NamedByVariable | null {
  refuseNoise(env);
  for (const variable of URL_VARIABLES) {
    const url = env[variable]?.trim() ?? "";
    if (url !== "") return { variable, url: url.toLowerCase() === "none" ? "none" : url };
  }
  return null;
}

/** Three that belong together; the account is optional and says nothing alone. */
const NOISE_VARIABLES = [
  "CODEX_EXEC_SERVER_NOISE_REGISTRY_URL",
  "CODEX_EXEC_SERVER_NOISE_ENVIRONMENT_ID",
  "CODEX_EXEC_SERVER_NOISE_AUTH_TOKEN",
] as const;

function refuseNoise(env: Variables): void {
  const set = NOISE_VARIABLES.filter((name) => (env[name]?.trim() ?? "") !== "");
  if (set.length === NOISE_VARIABLES.length) {
    throw new EnvironmentError("registry", "noise environments are not supported");
  }
  if (set.length > 0) {
    const [first, second, third] = NOISE_VARIABLES;
    throw new EnvironmentError("registry", `Noise environment requires ${first}, ${second}, and ${third}`);
  }
}

/**
 * What a program is given that says nothing itself: the URL variables, else Codex's `environments.toml`, else this
 * machine. A higher source replaces the lower ones altogether.
 */
export class DefaultProvider implements EnvironmentProvider {
  constructor(private readonly env: Variables, private readonly home: string = codexHome(env)) {}

  async snapshot(): Promise<EnvironmentSnapshot> {
    const named = namedByVariable(this.env);
    if (named?.url === "none") return { environments: [], default: null, includeLocal: false };
    if (named !== null) {
      return {
        environments: [[REMOTE_ENVIRONMENT_ID, { kind: "url", url: named.url }]],
        default: REMOTE_ENVIRONMENT_ID,
        includeLocal: false,
      };
    }
    if (!isThere(environmentsTomlPath(this.home))) {
      return { environments: [], default: LOCAL_ENVIRONMENT_ID, includeLocal: true };
    }
    const { readEnvironmentsToml } = await import("./environments_toml.ts");
    return readEnvironmentsToml(this.home);
  }
}
