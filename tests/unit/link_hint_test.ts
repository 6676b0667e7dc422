import { describe, expect, test } from "bun:test";
import { linkHint } from "../../cli/place/link_hint.ts";
import { tlsFailureText } from "../../lib/transport/tls_failure.ts";

const at = (words: string) => `failed to connect to exec-server websocket \`wss://tls.box:7777\`: ${words}`;

describe("the hint for a server that cannot be reached", () => {
  test.each([
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "--tls-ca FILE"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "--tls-ca FILE"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "a name in the URL"],
    ["CERT_HAS_EXPIRED", "valid now"],
    ["EPROTO", "ws:// in place of wss://"],
  ])("fits what is told of %s", (code, hint) => {
    expect(linkHint(at(tlsFailureText(code) ?? code), "url")).toContain(hint);
  });

  test("speaks of the server where no TLS had a part in it, whatever the host is called", () => {
    expect(tlsFailureText("ECONNREFUSED")).toBeNull();
    expect(linkHint(at("Connection refused (os error 111)"), "url")).toContain(
      "`exec-server serve` runs there",
    );
  });

  test.each([
    ["output closed"],
    ["malformed message: invalid string, number or literal"],
    ["timed out waiting for the handshake"],
  ])("speaks of a program and of no URL after: %s", (words) => {
    const hint = linkHint(`exec-server transport disconnected: ${words}`, "program");
    expect(hint).toContain("program");
    expect(hint).toContain("stdout");
    expect(hint).not.toContain("URL");
  });

  test("speaks of PATH where the program is not there", () => {
    expect(linkHint("failed to spawn exec-server: ssh: No such file", "program")).toContain("PATH");
  });
});
