import { INVALID_PARAMS, WireError } from "../wire/wire_error.ts";

/**
 * Refuses a start that asks for confinement which this executor cannot give. Weaker than asked is the worst
 * outcome, so everything is refused here that nobody further down enforces.
 */
export function refuseUnenforceable(
  params: { sandbox: unknown; enforceManagedNetwork: boolean; networkProxy: unknown },
): void {
  const { sandbox, enforceManagedNetwork, networkProxy } = params;
  if (networkProxy !== undefined && networkProxy !== null) {
    throw refused("network proxy launch is not supported on this executor");
  }
  const cause = "sandbox intent cannot be enforced on this executor";
  if (enforceManagedNetwork) throw refused(`${cause}: managed networking is not supported`);
  if (sandbox === undefined || sandbox === null || asksForNothing(sandbox)) return;
  throw refused(cause);
}

/** `disabled` asks for no confinement at all; `null` says the same. */
function asksForNothing(sandbox: unknown): boolean {
  if (typeof sandbox !== "object" || sandbox === null || !("permissions" in sandbox)) {
    throw refused("missing field `permissions`");
  }
  const { permissions } = sandbox;
  if (typeof permissions !== "object" || permissions === null || !("type" in permissions)) {
    throw refused("missing field `type`");
  }
  return permissions.type === "disabled";
}

function refused(message: string): WireError {
  return new WireError(INVALID_PARAMS, message);
}
