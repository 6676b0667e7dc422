import type { EnvironmentSpec } from "./environment_spec.ts";

/** The environments there are to begin with. Nobody names `local` here: the manager adds it. */
export interface EnvironmentSnapshot {
  readonly environments: readonly (readonly [id: string, EnvironmentSpec])[];
  /** null: there is no default, and nothing may be run without naming a place. */
  readonly default: string | null;
  readonly includeLocal: boolean;
}

/** Knows which environments there are. */
export interface EnvironmentProvider {
  snapshot(): Promise<EnvironmentSnapshot>;
}
