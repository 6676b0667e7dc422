import type { StartOptions } from "../process/backend.ts";
import { LIMIT_NAMES, type Limits, type TreeFacts } from "../process/limits.ts";
import { ProcessError } from "../process/process_error.ts";
import { FileUriError, fileUriFromPath } from "../wire/file_uri.ts";
import type { Agreed } from "../wire/extensions.ts";
import type { OpenSession } from "./open_session.ts";
import { type AskedSandbox, sandboxContext } from "./sandbox_words.ts";

/** How long one without a name is kept where nobody said: as a server keeps one with a name. */
const USUAL_KEEP_MS = 86_400_000;

/** A start as this server is asked for it. Throws a ProcessError where it could not be done as it is meant. */
export function startParams(
  options: StartOptions,
  sandbox: AskedSandbox | null,
  { agreed, trees }: OpenSession,
): object {
  if (options.limits !== undefined) requireLimits(options.limits, trees);
  const { processId, argv, arg0, cwd, env, envPolicy, tty, pipeStdin, size } = options;
  return {
    processId,
    argv,
    arg0,
    cwd: inWords(() => fileUriFromPath(cwd).href),
    env,
    envPolicy,
    tty,
    pipeStdin,
    ...(tty && size !== null && agreed.has("terminal.v1") ? { size } : {}),
    ...(sandbox === null ? {} : { sandbox: inWords(() => sandboxContext(sandbox)) }),
    ...(agreed.has("outcome.v1") ? outcomeParams(options) : {}),
    ...keepParams(options, agreed),
  };
}

function outcomeParams({ limits, leftovers, ending }: StartOptions): object {
  return {
    startId: crypto.randomUUID(),
    ...(limits === undefined ? {} : { limits }),
    ...(leftovers === undefined ? {} : { leftovers }),
    ...(ending === undefined ? {} : { ending: { signal: ending.signal, graceMs: ending.ms } }),
  };
}

function keepParams({ keep }: StartOptions, agreed: Agreed): object {
  if (keep === undefined) return {};
  if (!agreed.has("processes.v1")) {
    throw new ProcessError(
      "unsupported",
      "Cannot keep a process: the server does not know how (no processes.v1)",
    );
  }
  const { name, labels, ms } = keep;
  // One of the two makes it one that is kept.
  return { name, labels, keepMs: ms ?? (name === null ? USUAL_KEEP_MS : null) };
}

/** A limit that nobody would enforce is no limit. */
function requireLimits(limits: Limits, trees: TreeFacts | null): void {
  for (const name of LIMIT_NAMES) {
    if (limits[name] === undefined || trees?.limits.includes(name)) continue;
    throw new ProcessError("invalid", `the server cannot enforce the limit ${name}`);
  }
}

function inWords<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof FileUriError) throw new ProcessError("invalid", error.message);
    throw error;
  }
}
