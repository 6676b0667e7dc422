import { expect } from "bun:test";
import { join } from "@std/path";
import { putFile, scratchDirectory } from "../support/peer_system.ts";
import { runToEnd, spawnServer } from "../support/target_process.ts";
import { onEachTarget } from "./on_each_target.ts";

const DIGEST = "0".repeat(64);
const capability = ["--ws-auth", "capability-token"];
const signed = ["--ws-auth", "signed-bearer-token"];

const NO_MODE =
  "websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`";
const NO_SOURCE =
  "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set";
const TWO_SOURCES = "`--ws-token-file` and `--ws-token-sha256` are mutually exclusive";
const NO_DIGEST = "--ws-token-sha256 must be a 64-character hex SHA-256 digest";
const NOT_SIGNED =
  "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require `--ws-auth signed-bearer-token`";
const NO_SECRET = "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set";
const NOT_CAPABILITY =
  "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not `signed-bearer-token`";
const LONG_SKEW = "websocket auth clock skew must fit in a signed 64-bit integer";

onEachTarget(({ target, test }) => {
  async function failure(flags: string[]): Promise<{ code: number; message: string }> {
    const { code, stdout, stderr } = await runToEnd(target.command(flags));
    expect(stdout).toBe("");
    return { code, message: stderr.split("\n")[0] };
  }

  test("19 options of authentication need a mode, and each mode its own, exit 1", async () => {
    using directory = scratchDirectory();
    const secret = putFile(directory.path, "secret", "s".repeat(32));
    const withSecret = [...signed, "--ws-shared-secret-file", secret];
    const expectations: [string[], string][] = [
      [["--ws-token-file", secret], NO_MODE],
      [["--ws-token-sha256", DIGEST], NO_MODE],
      [["--ws-shared-secret-file", secret], NO_MODE],
      [["--ws-issuer", "i"], NO_MODE],
      [["--ws-audience", "a"], NO_MODE],
      [["--ws-max-clock-skew-seconds", "5"], NO_MODE],
      [capability, NO_SOURCE],
      [[...capability, "--ws-token-file", secret, "--ws-token-sha256", DIGEST], TWO_SOURCES],
      [[...capability, "--ws-token-sha256", DIGEST.slice(1)], NO_DIGEST],
      [[...capability, "--ws-token-sha256", `${DIGEST}0`], NO_DIGEST],
      [[...capability, "--ws-token-sha256", `g${DIGEST.slice(1)}`], NO_DIGEST],
      [[...capability, "--ws-token-sha256", DIGEST, "--ws-shared-secret-file", secret], NOT_SIGNED],
      [[...capability, "--ws-token-sha256", DIGEST, "--ws-issuer", "i"], NOT_SIGNED],
      [[...capability, "--ws-token-sha256", DIGEST, "--ws-audience", "a"], NOT_SIGNED],
      [[...capability, "--ws-token-sha256", DIGEST, "--ws-max-clock-skew-seconds", "5"], NOT_SIGNED],
      [signed, NO_SECRET],
      [[...withSecret, "--ws-token-file", secret], NOT_CAPABILITY],
      [[...withSecret, "--ws-token-sha256", DIGEST], NOT_CAPABILITY],
      [[...withSecret, "--ws-max-clock-skew-seconds", "9223372036854775808"], LONG_SKEW],
      [
        ["--listen", "stdio", ...capability, "--ws-token-sha256", DIGEST],
        "WebSocket auth requires a WebSocket listener, not stdio",
      ],
    ];
    for (const [flags, message] of expectations) {
      expect({ flags, ...await failure(flags) }).toEqual({ flags, code: 1, message: `Error: ${message}` });
    }
  });

  test("19 a secret that cannot be read, is blank or too short fails the start, exit 1", async () => {
    using directory = scratchDirectory();
    const missing = join(directory.path, "missing");
    const blank = putFile(directory.path, "blank", " \n\t");
    const short = putFile(directory.path, "short", `  ${"s".repeat(31)}  \n`);
    const expectations: [string[], string][] = [
      [[...capability, "--ws-token-file", blank], `websocket auth secret ${blank} must not be empty`],
      [[...signed, "--ws-shared-secret-file", blank], `websocket auth secret ${blank} must not be empty`],
      [
        [...signed, "--ws-shared-secret-file", short],
        `signed websocket bearer secret ${short} must be at least 32 bytes`,
      ],
    ];
    for (const [flags, message] of expectations) {
      expect({ flags, ...await failure(flags) }).toEqual({ flags, code: 1, message: `Error: ${message}` });
    }
    for (
      const flags of [[...capability, "--ws-token-file", missing], [
        ...signed,
        "--ws-shared-secret-file",
        missing,
      ]]
    ) {
      const { code, message } = await failure(flags);
      expect(code).toBe(1);
      expect(message).toStartWith(`Error: failed to read websocket auth secret ${missing}: `);
    }
  });

  test("19 an unknown mode is a usage error, exit 2", async () => {
    expect((await failure(["--ws-auth", "bogus"])).code).toBe(2);
  });

  test("19 blank issuers and audiences and either case of the digest are accepted", async () => {
    using directory = scratchDirectory();
    const secret = putFile(directory.path, "secret", "s".repeat(32));
    for (
      const flags of [
        [...signed, "--ws-shared-secret-file", secret, "--ws-issuer", "", "--ws-audience", " "],
        [...signed, "--ws-shared-secret-file", secret, "--ws-max-clock-skew-seconds", "9223372036854775807"],
        [...capability, "--ws-token-sha256", "aB".repeat(32)],
      ]
    ) {
      await using server = await spawnServer(target.command(flags));
      expect(server.url).toStartWith("ws://127.0.0.1:");
    }
  });
});
