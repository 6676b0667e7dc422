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

/** The same for a call on files: what restricts no file asks for nothing here. */
export function refuseUnenforceableFiles(sandbox: unknown): void {
  if (sandbox === undefined || sandbox === null || asksForNothing(sandbox) || restrictsNoFile(sandbox)) {
    return;
  }
  throw refused("sandbox intent cannot be enforced on this executor");
}

/** `external`: somebody else sees to it. `unrestricted`: all files; the network is not touched by a call on them. */
function restrictsNoFile(sandbox: unknown): boolean {
  const { permissions } = sandbox as { permissions: { type: unknown; file_system?: unknown } };
  if (permissions.type === "external") return true;
  const files = permissions.type === "managed" ? permissions.file_system : null;
  return typeof files === "object" && files !== null && "type" in files && files.type === "unrestricted";
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
