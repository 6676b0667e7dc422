import { Peer, type StartParams } from "./peer.ts";
import type { Outcome } from "./peer_outcome.ts";

export type Json = Record<string, unknown>;

/** Contexts as a real client sends them, without what they mean by default. */
export function context(permissions: unknown, more: Json = {}): Json {
  return { permissions, cwd: "file:///tmp", workspaceRoots: [], windowsSandboxLevel: "disabled", ...more };
}

export function special(kind: string, access: string, more: Json = {}): Json {
  return { path: { type: "special", value: { kind, ...more } }, access };
}

export function path(uri: string, access: string): Json {
  return { path: { type: "path", path: uri }, access };
}

export function managed(entries: readonly Json[], network = "restricted"): Json {
  return { type: "managed", file_system: { type: "restricted", entries }, network };
}

/** Everything may be read, nothing written. */
export const READ_ONLY = context(managed([special("root", "read")]));
/** Only the network is restricted. */
export const NO_NETWORK = context({
  type: "managed",
  file_system: { type: "unrestricted" },
  network: "restricted",
});

/** Reads everywhere, writes in one directory; protected names as they are in every such profile. */
export function workspaceWrite(root: string, network = "restricted"): Json {
  const names = [".git", ".agents", ".codex", ".aws"];
  const entries = [
    special("root", "read"),
    special("project_roots", "write"),
    ...names.map((subpath) => ({
      ...special("project_roots", "read", { subpath }),
      missing_path_behavior: "skip",
    })),
  ];
  return context(managed(entries, network), { cwd: `file://${root}`, workspaceRoots: [`file://${root}`] });
}

/** What a start is made of, with a sandbox in it. */
export function confined(
  peer: Peer,
  sandbox: unknown,
  params: Partial<StartParams> & Json,
): Json & { processId: string } {
  return { ...peer.startParams({ argv: ["/bin/true"], ...params }), sandbox };
}

/** Runs a `/bin/sh -c` script in a sandbox to its end. */
export async function runConfined(
  peer: Peer,
  sandbox: unknown,
  script: string,
  params: Partial<StartParams> = {},
): Promise<Outcome & { sandboxDenied: boolean; sandboxType: string }> {
  const request = confined(peer, sandbox, { argv: ["/bin/sh", "-c", script], ...params });
  const { sandboxType } = await peer.call<{ sandboxType: string }>("process/start", request);
  const outcome = await peer.outcome(request.processId);
  const { sandboxDenied } = await peer.exited(request.processId);
  const read = await peer.read(request.processId);
  if (read.sandboxDenied !== sandboxDenied) throw new Error("process/read and process/exited disagree");
  return { ...outcome, sandboxDenied, sandboxType };
}
