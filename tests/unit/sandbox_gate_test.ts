import { describe, expect, test } from "bun:test";
import { sandboxContext as inWireWords } from "../../lib/client/sandbox_words.ts";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import type { Intent } from "../../lib/sandbox/intent.ts";
import { sandboxOf } from "../../lib/server/sandbox_gate.ts";
import { type ForeignPaths, intentOf, readPermissions } from "../../lib/server/sandbox_intent.ts";
import { decodeParams } from "../../lib/wire/decode.ts";
import { sandboxContext } from "../../lib/wire/sandbox_messages.ts";
import { context, managed, path, READ_ONLY, special } from "../support/sandbox_context.ts";

const CANNOT = "sandbox intent cannot be enforced on this executor";
const read = (json: unknown) => decodeParams(sandboxContext(), json);
const plain = {
  sandbox: null,
  cwd: "file:///w",
  enforceManagedNetwork: false,
  managedNetwork: null,
  networkProxy: null,
};

function refusalOf(action: () => unknown): unknown {
  try {
    action();
    return null;
  } catch (error) {
    return error;
  }
}

const never = (cause: string) => new Error(cause);
const FOREIGN: ForeignPaths = { cwd: never, root: never, entry: never };

describe("sandboxOf()", () => {
  test("lets through what asks for no confinement, and calls it by Codex's word", () => {
    expect(sandboxOf(plain)).toEqual({ sandboxType: "none", sandboxed: null });
    for (
      const permissions of [
        { type: "disabled" },
        { type: "external", network: "enabled" },
        { type: "managed", file_system: { type: "unrestricted" }, network: "enabled" },
      ]
    ) {
      const { sandboxType, sandboxed } = sandboxOf({ ...plain, sandbox: read(context(permissions)) });
      expect([sandboxType, sandboxed?.confine]).toEqual(["linuxSeccomp", null]);
    }
  });

  test("hands on what restricts something, to be confined when it starts", () => {
    for (
      const permissions of [
        { type: "external", network: "restricted" },
        { type: "managed", file_system: { type: "unrestricted" }, network: "restricted" },
        managed([], "enabled"),
      ]
    ) {
      const { sandboxed } = sandboxOf({ ...plain, sandbox: read(context(permissions)) });
      expect(sandboxed?.confine).toBeFunction();
    }
    const legacy = sandboxOf({ ...plain, sandbox: read({ ...READ_ONLY, useLegacyLandlock: true }) });
    expect(legacy.sandboxed?.confine).toBeFunction();
  });

  test("hands a managed network on where a sandbox is, whatever that restricts", async () => {
    expect(refusalOf(() => sandboxOf({ ...plain, enforceManagedNetwork: true }))).toMatchObject({
      code: -32602,
      message: `${CANNOT}: managed networking needs a sandbox`,
    });
    for (const sandbox of [read(READ_ONLY), read(context({ type: "disabled" }))]) {
      const { sandboxed } = sandboxOf({ ...plain, sandbox, enforceManagedNetwork: true });
      await expect(sandboxed!.confine!({})).rejects.toMatchObject({
        name: "UnenforceableError",
        message: "managed proxy mode requires proxy environment variables",
      });
    }
    const managedNetwork = { loopbackPorts: [1], allowLocalBinding: true };
    expect(sandboxOf({ ...plain, managedNetwork })).toEqual({ sandboxType: "none", sandboxed: null });
  });

  test("refuses a proxy, with a sandbox or without", () => {
    for (const sandbox of [null, read(READ_ONLY), read(context({ type: "disabled" }))]) {
      for (const networkProxy of [{}, { proxy: { enabled: false } }, "x", 0, false]) {
        expect(refusalOf(() => sandboxOf({ ...plain, sandbox, networkProxy }))).toMatchObject({
          code: -32602,
          message: "network proxy launch is not supported on this executor",
        });
      }
    }
  });

  test("what Linux cannot be asked for is refused", () => {
    const sandbox = read({ ...READ_ONLY, windowsSandboxLevel: "mxc" });
    expect(refusalOf(() => sandboxOf({ ...plain, sandbox }))).toMatchObject({
      code: -32602,
      message: "native MXC is unavailable on this executor",
    });
  });
});

describe("intentOf()", () => {
  test("reads back what our client writes, paths that are no UTF-8 too", () => {
    const intent: Intent = {
      files: {
        type: "restricted",
        entries: [
          { path: { kind: "path", path: "/w/caf\xe9" }, access: "write", skipIfMissing: false },
          { path: { kind: "path", path: "/w/a b%#?" }, access: "deny", skipIfMissing: true },
          {
            path: { kind: "glob", pattern: "codex-project-roots://**/\xc3\xa9*.env" },
            access: "deny",
            skipIfMissing: false,
          },
          {
            path: { kind: "special", special: "project_roots", subpath: "a/\xc3\xa9" },
            access: "read",
            skipIfMissing: true,
          },
          {
            path: { kind: "special", special: "tmpdir", subpath: null },
            access: "write",
            skipIfMissing: false,
          },
        ],
        globScanMaxDepth: 3,
      },
      network: "enabled",
      workspaceRoots: ["/w", "/\xff"],
      cwd: "/w",
    };
    expect(intentOf(read(inWireWords(intent))!, null, FOREIGN)).toEqual(intent);
    const network: Intent = { ...intent, files: { type: "unrestricted" }, network: "restricted", cwd: null };
    expect(intentOf(read(inWireWords(network))!, bytePathOf("/else"), FOREIGN)).toEqual({
      ...network,
      cwd: "/else",
    });
  });

  test("the policy's own place comes before the flat one", () => {
    const sandbox = read({
      ...READ_ONLY,
      workspaceRoots: ["file:///flat"],
      policyContext: { cwd: "file:///policy", workspaceRoots: [] },
    });
    expect(intentOf(sandbox!, null, FOREIGN)).toMatchObject({ cwd: "/policy", workspaceRoots: [] });
  });

  test("a path that no system has is refused like one of another machine", () => {
    const sandbox = read(context(managed([path("file:///%00/bad/path/L2EAYg", "read")])));
    expect(refusalOf(() => intentOf(sandbox!, null, FOREIGN))).toMatchObject({
      message: expect.stringContaining("is invalid on 'linux'"),
    });
  });
});

describe("readPermissions()", () => {
  test("reads a profile as it stands in a file, and nothing but a profile", () => {
    expect(readPermissions({ type: "disabled" })).toBeNull();
    expect(readPermissions(managed([special("root", "read")], "enabled"))).toMatchObject({
      network: "enabled",
      files: { type: "restricted" },
    });
    for (const wrong of [null, [], {}, "read-only", { type: "managed" }, READ_ONLY, managed([{}])]) {
      expect(refusalOf(() => readPermissions(wrong))).toBeInstanceOf(Error);
    }
  });
});
