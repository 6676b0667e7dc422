import { sandboxDenied } from "./denial.ts";
import type { Intent } from "./intent.ts";
import type { Sandbox } from "./launch.ts";
import { resolveRules } from "./policy.ts";
import type { Support } from "./support.ts";
import { UnenforceableError } from "./unenforceable.ts";

/**
 * What whoever starts processes here needs to start one as the intent says; null is one that restricts nothing. `confine`
 * rejects with an UnenforceableError where not all of it can be kept up.
 */
export function sandboxedStart(intent: Intent | null) {
  return {
    confine: intent === null || restrictsNothing(intent)
      ? null
      : async (env: Readonly<Record<string, string>>) => {
        const sandbox = await ofThisProgram();
        return await sandbox.confine(await resolveRules(intent, env));
      },
    isDenied: sandboxDenied,
  };
}

/** What this machine can, in words that people are told. */
export interface SandboxFacts extends Pick<Support, "tier" | "failing" | "passedOver"> {
  readonly holds:
    | "files and network"
    | "files and network, but no minimal reads"
    | "network only"
    | "nothing";
}

/** Found out when it is first asked. */
export async function sandboxSupport(): Promise<SandboxFacts> {
  try {
    const { tier, failing, passedOver, mechanism, freshProc } = await (await ofThisProgram()).support();
    const less = tier === "none" ? "nothing" : "network only";
    const more = freshProc ? "files and network" : "files and network, but no minimal reads";
    return { tier, holds: mechanism === null ? less : more, failing, passedOver };
  } catch (error) {
    if (!(error instanceof UnenforceableError)) throw error;
    return { tier: "none", holds: "nothing", failing: error.message, passedOver: null };
  }
}

function restrictsNothing({ files, network }: Intent): boolean {
  return files.type === "unrestricted" && network === "enabled";
}

let opened: Promise<Sandbox> | undefined;

/** Loaded and made when it is first needed: most commands and most servers never do. */
export function ofThisProgram(): Promise<Sandbox> {
  return (opened ??= open());
}

async function open(): Promise<Sandbox> {
  if (process.platform !== "linux") throw new UnenforceableError("only Linux has what it takes");
  return new (await import("./launch.ts")).Sandbox();
}
