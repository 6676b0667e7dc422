/** As the real client of 0.169 sends them by default for `-s read-only` and `-s workspace-write`. */
export function readOnly(root: string): object {
  return context(root, [special("root", "read")]);
}

export function workspaceWrite(root: string): object {
  const names = [".git", ".agents", ".codex", ".aws"];
  return context(root, [
    special("root", "read"),
    special("project_roots", "write"),
    special("slash_tmp", "write"),
    special("tmpdir", "write"),
    ...names.map((subpath) => ({
      ...special("project_roots", "read", { subpath }),
      missing_path_behavior: "skip",
    })),
  ]);
}

function special(kind: string, access: string, more: object = {}): object {
  return { path: { type: "special", value: { kind, ...more } }, access };
}

function context(root: string, entries: object[]): object {
  const permissions = {
    type: "managed",
    file_system: { type: "restricted", entries },
    network: "restricted",
  };
  return {
    permissions,
    cwd: root,
    workspaceRoots: [root],
    windowsSandboxLevel: "disabled",
    windowsSandboxProxySettingsMode: "reconcile",
    useLegacyLandlock: false,
  };
}
