import type { EnvPolicy } from "../backend.ts";
import { type Characters, charactersOf, matches, MatchingEffort } from "./name_pattern.ts";

export type { EnvPolicy } from "../backend.ts";

/** What a program expects to find anywhere. ASCII case is ignored: `path` passes as well as `PATH`. */
const CORE = /^(?:PATH|SHELL|TMPDIR|TEMP|TMP|HOME|LANG|LC_ALL|LC_CTYPE|LOGNAME|USER)$/i;

/** Names of what is likely secret. `MONKEY` goes too. */
const DEFAULT_EXCLUDES = ["*KEY*", "*SECRET*", "*TOKEN*"];

/**
 * The environment of a child, in Codex's order: what is inherited, less what is excluded; then `set`; of all this
 * only what `includeOnly` names; then `env`, which nothing filters. Without a policy it is `env` alone.
 * The object has no prototype: a variable may be called `__proto__`.
 * Throws a ProcessError when the policy would take too long to apply.
 */
export function childEnv(
  policy: EnvPolicy | null,
  env: Readonly<Record<string, string>>,
  serverEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const result: Record<string, string> = Object.create(null);
  if (policy !== null) Object.assign(result, fromPolicy(policy, serverEnv));
  return Object.assign(result, env);
}

function fromPolicy(
  policy: EnvPolicy,
  serverEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const effort = new MatchingEffort();
  const excludes = [...(policy.ignoreDefaultExcludes ? [] : DEFAULT_EXCLUDES), ...policy.exclude];
  const isExcluded = anyOf(excludes, effort);
  const isIncluded = policy.includeOnly.length === 0 ? () => true : anyOf(policy.includeOnly, effort);

  const kept: Record<string, string> = Object.create(null);
  for (const [name, value] of inherited(policy.inherit, serverEnv)) {
    if (value !== undefined && !isExcluded(name) && isIncluded(name)) kept[name] = value;
  }
  for (const [name, value] of Object.entries(policy.set)) {
    if (isIncluded(name)) kept[name] = value;
  }
  return kept;
}

function inherited(
  inherit: EnvPolicy["inherit"],
  serverEnv: Readonly<Record<string, string | undefined>>,
): [string, string | undefined][] {
  if (inherit === "none") return [];
  const all = Object.entries(serverEnv);
  return inherit === "all" ? all : all.filter(([name]) => CORE.test(name));
}

function anyOf(patterns: readonly string[], effort: MatchingEffort): (name: string) => boolean {
  const prepared: readonly Characters[] = patterns.map((pattern) => charactersOf(pattern, effort));
  return (name) => {
    const characters = charactersOf(name, effort);
    return prepared.some((pattern) => {
      effort.spend(1);
      return matches(pattern, characters, effort);
    });
  };
}
