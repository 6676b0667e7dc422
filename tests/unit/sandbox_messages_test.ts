import { describe, expect, test } from "bun:test";
import { decodeParams } from "../../lib/wire/decode.ts";
import { DecodeError } from "../../lib/wire/decode_error.ts";
import { struct } from "../../lib/wire/message_fields.ts";
import { parseMessage } from "../../lib/wire/parse_json.ts";
import { placeOf, sandboxContext } from "../../lib/wire/sandbox_messages.ts";

const params = struct("Params", { sandbox: sandboxContext() });

/** As it comes off the wire: numbers keep being told from integers. */
function decode(sandbox: unknown) {
  const { value } = parseMessage(JSON.stringify({ params: { sandbox } }));
  return decodeParams(params, value["params"]).sandbox;
}

function refusal(sandbox: unknown): string {
  try {
    decode(sandbox);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  throw new Error(`Accepted ${JSON.stringify(sandbox)}`);
}

const level = { windowsSandboxLevel: "disabled" };
const ok = { permissions: { type: "disabled" }, ...level };
const withPermissions = (permissions: unknown) => ({ permissions, ...level });
const withFiles = (file_system: unknown, network: unknown = "enabled") =>
  withPermissions({ type: "managed", file_system, network });
const withEntry = (entry: unknown) => withFiles({ type: "restricted", entries: [entry] });
const withPath = (path: unknown) => withEntry({ path, access: "read" });
const withSpecial = (value: unknown) => withPath({ type: "special", value });
const root = { type: "special", value: { kind: "root" } };

describe("sandboxContext()", () => {
  test("is null where nothing was asked", () => {
    expect(decode(null)).toBeNull();
    expect(decodeParams(params, {}).sandbox).toBeNull();
  });

  test("reads every shape of permissions", () => {
    expect(decode(ok)?.permissions).toEqual({ type: "disabled" });
    expect(decode(withPermissions({ type: "external", network: "restricted" }))?.permissions)
      .toEqual({ type: "external", network: "restricted" });
    expect(decode(withFiles({ type: "unrestricted" }, "restricted"))?.permissions)
      .toEqual({ type: "managed", files: { type: "unrestricted" }, network: "restricted" });
    expect(decode(withFiles({ type: "restricted", entries: [], glob_scan_max_depth: 3 }))?.permissions)
      .toEqual({
        type: "managed",
        files: { type: "restricted", entries: [], globScanMaxDepth: 3 },
        network: "enabled",
      });
  });

  test("reads every shape of an entry, by its older names too", () => {
    const entry = (given: unknown) => {
      const permissions = decode(withEntry(given))?.permissions;
      return permissions?.type === "managed" && permissions.files.type === "restricted"
        ? permissions.files.entries[0]
        : null;
    };
    expect(entry({ path: root, access: "none" }))
      .toEqual({
        path: { type: "special", kind: "root", subpath: null },
        access: "deny",
        skipIfMissing: false,
      });
    expect(entry({ path: root, access: "write", missing_path_behavior: "skip" })?.skipIfMissing).toBe(true);
    expect(entry({ path: root, access: "deny", missing_path_behavior: null })?.skipIfMissing).toBe(false);
    expect(entry({ path: { type: "glob_pattern", pattern: "**" }, access: "deny" })?.path)
      .toEqual({ type: "glob_pattern", pattern: "**" });
    expect(entry({ path: { type: "path", path: "file:/etc/%41" }, access: "read" })?.path)
      .toMatchObject({ type: "path", path: { href: "file:///etc/%41" } });
    const path = (value: object) => entry({ path: { type: "special", value }, access: "read" })?.path;
    for (const kind of ["project_roots", "current_working_directory"]) {
      expect(path({ kind, subpath: "a" })).toEqual({ type: "special", kind: "project_roots", subpath: "a" });
    }
    for (const kind of ["root", "minimal", "tmpdir", "slash_tmp"] as const) {
      expect(path({ kind, subpath: 5, more: 1 })).toEqual({ type: "special", kind, subpath: null });
    }
    expect(path({ kind: "unknown", path: "x" })).toEqual({ type: "special", kind: "unknown", subpath: null });
  });

  test("takes what it does not know for nothing", () => {
    const more = { windowsSandboxPrivateDesktop: 5, useLegacyLandlock: true, newer: {}, userHomeDir: null };
    expect(decode({ ...ok, ...more })).toMatchObject({ useLegacyLandlock: true, userHomeDir: null });
    for (const windowsSandboxLevel of ["disabled", "restricted-token", "elevated", "mxc"] as const) {
      expect(decode({ ...ok, windowsSandboxLevel })?.windowsSandboxLevel).toBe(windowsSandboxLevel);
    }
    for (const windowsSandboxProxySettingsMode of ["reconcile", "preserve", null]) {
      expect(decode({ ...ok, windowsSandboxProxySettingsMode })).toMatchObject({
        windowsSandboxProxySettingsMode,
      });
    }
  });

  test("refuses as Codex does", () => {
    // As Codex 0.169.0 answered.
    const observed: [unknown, string][] = [
      [{}, "missing field `permissions`"],
      [[], "invalid length 0, expected struct WireFileSystemSandboxContext with 10 elements"],
      [5, "invalid type: number, expected struct WireFileSystemSandboxContext"],
      ["x", 'invalid type: string "x", expected struct WireFileSystemSandboxContext'],
      [{ permissions: null }, "invalid type: null, expected internally tagged enum ExecPermissionProfile"],
      [
        { permissions: "disabled" },
        'invalid type: string "disabled", expected internally tagged enum ExecPermissionProfile',
      ],
      [{ permissions: [] }, "missing field `type`"],
      [{ permissions: {} }, "missing field `type`"],
      [{ permissions: { type: null } }, "invalid type: null, expected variant identifier"],
      [{ permissions: { type: 5 } }, "invalid type: number, expected variant identifier"],
      [{ permissions: { type: {} } }, "invalid type: map, expected variant identifier"],
      [
        { permissions: { type: "workspace-write" } },
        "unknown variant `workspace-write`, expected one of `managed`, `disabled`, `external`",
      ],
      [{ permissions: { type: "disabled" } }, "missing field `windowsSandboxLevel`"],
      [level, "missing field `permissions`"],
      [{ ...ok, windowsSandboxLevel: null }, "invalid type: null, expected string or map"],
      [
        { ...ok, windowsSandboxLevel: "x" },
        "unknown variant `x`, expected one of `disabled`, `restricted-token`, `elevated`, `mxc`",
      ],
      [
        { ...ok, windowsSandboxProxySettingsMode: "x" },
        "unknown variant `x`, expected `reconcile` or `preserve`",
      ],
      [{ ...ok, useLegacyLandlock: null }, "invalid type: null, expected a boolean"],
      [{ ...ok, cwd: 5 }, "invalid type: number, expected a string"],
      [{ ...ok, cwd: "/x" }, "invalid URI: relative URL without a base"],
      [{ ...ok, workspaceRoots: null }, "invalid type: null, expected a sequence"],
      [{ ...ok, workspaceRoots: ["http://x"] }, "unsupported path URI scheme `http`"],
      [{ ...ok, workspaceRoots: [null] }, "invalid type: null, expected a string"],
      [{ ...ok, userHomeDir: "x" }, "invalid URI: relative URL without a base"],
      [{ ...ok, temporaryDirectories: [5] }, "invalid type: number, expected a string"],
      [{ ...ok, policyContext: 5 }, "invalid type: number, expected struct WireFileSystemPolicyContext"],
      [{ ...ok, policyContext: { workspaceRoots: null } }, "invalid type: null, expected a sequence"],
      [withPermissions({ type: "managed" }), "missing field `file_system`"],
      [
        withPermissions({ type: "managed", network: "x" }),
        "unknown variant `x`, expected `restricted` or `enabled`",
      ],
      [
        withFiles(null),
        "invalid type: null, expected internally tagged enum ExecManagedFileSystemPermissions",
      ],
      [withFiles({}), "missing field `type`"],
      [withFiles({ type: "x" }), "unknown variant `x`, expected `restricted` or `unrestricted`"],
      [
        withPermissions({ type: "managed", file_system: { type: "unrestricted" } }),
        "missing field `network`",
      ],
      [withFiles({ type: "unrestricted" }, null), "invalid type: null, expected string or map"],
      [withPermissions({ type: "external" }), "missing field `network`"],
      [withFiles({ type: "restricted" }), "missing field `entries`"],
      [withFiles({ type: "restricted", entries: null }), "invalid type: null, expected a sequence"],
      [
        withFiles({ glob_scan_max_depth: 0, type: "restricted" }),
        "invalid value: integer `0`, expected a nonzero usize",
      ],
      [
        withFiles({ type: "restricted", entries: [], glob_scan_max_depth: -1 }),
        "invalid value: integer `-1`, expected a nonzero usize",
      ],
      [
        withFiles({ type: "restricted", entries: [], glob_scan_max_depth: "x" }),
        'invalid type: string "x", expected a nonzero usize',
      ],
      [withEntry(null), "invalid type: null, expected struct ExecFileSystemSandboxEntry"],
      [withEntry([]), "invalid length 0, expected struct ExecFileSystemSandboxEntry with 3 elements"],
      [withEntry({}), "missing field `path`"],
      [withEntry({ access: "x" }), "unknown variant `x`, expected one of `read`, `write`, `deny`, `none`"],
      [withEntry({ path: root }), "missing field `access`"],
      [withEntry({ path: root, access: null }), "invalid type: null, expected string or map"],
      [
        withEntry({ path: root, access: "read", missing_path_behavior: "x" }),
        "unknown variant `x`, expected `skip`",
      ],
      [withPath(null), "invalid type: null, expected internally tagged enum ExecFileSystemPath"],
      [withPath({}), "missing field `type`"],
      [withPath({ type: "x" }), "unknown variant `x`, expected one of `path`, `glob_pattern`, `special`"],
      [withPath({ type: "path" }), "missing field `path`"],
      [withPath({ type: "path", path: null }), "invalid type: null, expected a string"],
      [withPath({ type: "path", path: "http://x" }), "unsupported path URI scheme `http`"],
      [withPath({ type: "glob_pattern" }), "missing field `pattern`"],
      [withPath({ type: "special" }), "missing field `value`"],
      [
        withSpecial("root"),
        'invalid type: string "root", expected internally tagged enum FileSystemSpecialPath',
      ],
      [withSpecial({}), "missing field `kind`"],
      [
        withSpecial({ kind: "x", path: "y" }),
        "unknown variant `x`, expected one of `root`, `minimal`, `current_working_directory`, `project_roots`, " +
        "`tmpdir`, `slash_tmp`, `unknown`",
      ],
      [withSpecial({ kind: "unknown" }), "missing field `path`"],
      [withSpecial({ kind: "unknown", path: null }), "invalid type: null, expected a string"],
      // The first thing wrong, as it stands in the message.
      [{ cwd: 5, permissions: 5 }, "invalid type: number, expected a string"],
      [{ permissions: withEntry(null).permissions, windowsSandboxLevel: 5 }, refusal(withEntry(null))],
    ];
    for (const [sandbox, message] of observed) expect(refusal(sandbox)).toBe(message);
  });

  test("takes no member of every object for a variant", () => {
    for (const type of ["constructor", "__proto__", "toString"]) {
      expect(refusal(withPermissions({ type }))).toStartWith(`unknown variant \`${type}\``);
    }
  });
});

describe("placeOf()", () => {
  test("believes the policy about its roots, and about its directory where it names one", () => {
    const flat = { cwd: "file:///c", workspaceRoots: ["file:///r"] };
    const place = (more: object) => {
      const { cwd, workspaceRoots } = placeOf(decode({ ...ok, ...flat, ...more })!);
      return [cwd?.href ?? null, ...workspaceRoots.map(({ href }) => href)];
    };
    expect(place({})).toEqual(["file:///c", "file:///r"]);
    expect(place({ policyContext: null })).toEqual(["file:///c", "file:///r"]);
    expect(place({ policyContext: {} })).toEqual(["file:///c"]);
    expect(place({ policyContext: { cwd: "file:///p", workspaceRoots: ["file:///q"] } }))
      .toEqual(["file:///p", "file:///q"]);
    expect(place({ cwd: null, workspaceRoots: [] })).toEqual([null]);
  });
});
