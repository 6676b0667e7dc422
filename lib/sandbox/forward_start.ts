import { sandboxDenied } from "./denial.ts";
import { type ManagedNetwork, portsOut } from "./forward_ports.ts";
import type { Intent } from "./intent.ts";
import { resolveRules } from "./policy.ts";
import { ofThisProgram } from "./sandboxed_start.ts";

/** `sandboxedStart()` with a managed network, which is a restriction of its own: of that the intent says nothing then. */
export function managedStart(intent: Intent | null, managed: ManagedNetwork) {
  return {
    async confine(env: Readonly<Record<string, string>>) {
      const sandbox = await ofThisProgram();
      const ports = portsOut(managed, env);
      return await sandbox.confine(await resolveRules(intent ?? NO_INTENT, env), ports);
    },
    isDenied: sandboxDenied,
  };
}

const NO_INTENT: Intent = {
  files: { type: "unrestricted" },
  network: "enabled",
  workspaceRoots: [],
  cwd: null,
};
