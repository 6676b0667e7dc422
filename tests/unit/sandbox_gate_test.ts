import { describe, expect, test } from "bun:test";
import { refuseUnenforceable } from "../../lib/server/sandbox_gate.ts";
import { INVALID_PARAMS } from "../../lib/wire/wire_error.ts";

const plain = { sandbox: null, enforceManagedNetwork: false, networkProxy: null };
const CANNOT = "sandbox intent cannot be enforced on this executor";

function refusalOf(more: Partial<Record<keyof typeof plain, unknown>>): string | null {
  try {
    refuseUnenforceable({ ...plain, ...more } as typeof plain);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ code: INVALID_PARAMS });
    return (error as Error).message;
  }
}

describe("refuseUnenforceable()", () => {
  test("lets through what asks for no confinement, said in any way", () => {
    for (const sandbox of [null, undefined, { permissions: { type: "disabled" }, other: 1 }]) {
      expect(refusalOf({ sandbox })).toBeNull();
    }
    expect(refusalOf({ networkProxy: undefined })).toBeNull();
  });

  test("refuses every other sandbox, whatever it says inside", () => {
    for (const type of ["managed", "external", "Disabled", "", null, 0, {}]) {
      expect(refusalOf({ sandbox: { permissions: { type } } })).toBe(CANNOT);
    }
  });

  test("takes no broken sandbox for none", () => {
    for (const sandbox of [{}, [], "disabled", 0, false, { type: "disabled" }]) {
      expect(refusalOf({ sandbox })).toBe("missing field `permissions`");
    }
    for (const permissions of [null, "disabled", {}, ["disabled"]]) {
      expect(refusalOf({ sandbox: { permissions } })).toBe("missing field `type`");
    }
  });

  test("refuses a managed network, with a sandbox or without", () => {
    const message = `${CANNOT}: managed networking is not supported`;
    for (
      const sandbox of [null, { permissions: { type: "disabled" } }, { permissions: { type: "managed" } }]
    ) {
      expect(refusalOf({ sandbox, enforceManagedNetwork: true })).toBe(message);
    }
  });

  test("refuses to start a proxy, whatever it is", () => {
    for (const networkProxy of [{}, { proxy: { enabled: false } }, "x", 0, false]) {
      expect(refusalOf({ networkProxy })).toBe("network proxy launch is not supported on this executor");
    }
  });
});
