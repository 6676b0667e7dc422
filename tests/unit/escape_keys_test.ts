import { describe, expect, test } from "bun:test";
import { EscapeKeys, type Typed } from "../../cli/run/escape_keys.ts";

const shown = (typed: Typed[]) =>
  typed.map((part) => part.kind === "keys" ? new TextDecoder().decode(part.bytes) : `<${part.kind}>`).join(
    "",
  );

const keys = () => new EscapeKeys("~".charCodeAt(0));
const typed = (escapes: EscapeKeys, text: string) => shown(escapes.typed(new TextEncoder().encode(text)));

describe("escape keys", () => {
  test.each([
    ["~.", "<leave>"],
    ["~?", "<help>"],
    ["~?~.", "<help><leave>"],
    ["~~.", "~."],
    ["~x", "~x"],
    ["a~.", "a~."],
    ["a\r~.", "a\r<leave>"],
    ["a\n~?b", "a\n<help>b"],
    ["a\r~.never sent", "a\r<leave>"],
    ["~\r~.", "~\r<leave>"],
    ["", ""],
  ])("%j is %j", (text, expected) => {
    expect(typed(keys(), text)).toBe(expected);
  });

  test("are found when each comes alone", () => {
    const escapes = keys();
    expect([..."a\r~."].map((key) => typed(escapes, key))).toEqual(["a", "\r", "", "<leave>"]);
  });

  test("hold nothing back for good", () => {
    const escapes = keys();
    expect(typed(escapes, "\r~")).toBe("\r");
    expect(new TextDecoder().decode(escapes.rest())).toBe("~");
    expect(escapes.rest()).toHaveLength(0);
  });

  test("leave every other byte as it is", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x7e);
    expect(keys().typed(all)).toEqual([{ kind: "keys", bytes: all }]);
  });
});
