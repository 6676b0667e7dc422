import type { Environment } from "../../lib/environment/environment.ts";
import type { Finding } from "./finding.ts";
import { probeSandbox, shownProbe } from "./sandbox_probe.ts";

const HINT = "--sandbox is refused there; it needs Linux 5.12 with user namespaces, which sysctl " +
  "user.max_user_namespaces, AppArmor or a container's seccomp profile may forbid";

/** Whether commands can be confined there. Who asks for no sandbox misses nothing, so nothing fails here. */
export async function checkSandbox(environment: Environment): Promise<Finding> {
  const probe = await probeSandbox(environment);
  const isWhole = probe.failing === null;
  return {
    name: "sandbox",
    verdict: isWhole ? "ok" : "warn",
    detail: shownProbe(probe),
    hint: isWhole ? null : HINT,
  };
}
