import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openAuthenticator } from "../../lib/server/auth.ts";
import type { AuthSettings } from "../../lib/server/auth_settings.ts";
import type { Authenticator } from "../../lib/server/authenticator.ts";

const TOKEN = "sekret-token";

/** An authenticator whose every file has this content. */
function opened(settings: AuthSettings, content: string | Uint8Array = ""): Promise<Authenticator> {
  return openAuthenticator(settings, { readFile: () => Promise.resolve(Buffer.from(content)) });
}

const tokenFile: AuthSettings = { mode: "capability-token", source: { file: "token" } };
const secretFile: AuthSettings = { mode: "signed-bearer-token", secretFile: "secret", maxClockSkew: 30n };

describe("a capability token", () => {
  test.each([
    `Bearer ${TOKEN}`,
    `bearer ${TOKEN}`,
    `BEARER ${TOKEN}`,
    `Bearer   ${TOKEN}  `,
    `Bearer \t${TOKEN}\t`,
  ])("opens the door as %j", async (header) => {
    const { check } = await opened(tokenFile, `  ${TOKEN}\r\n`);
    expect(await check(header)).toBeNull();
  });

  test.each([
    [null, "missing websocket bearer token"],
    ["", "invalid authorization header"],
    [TOKEN, "invalid authorization header"],
    [`Basic ${TOKEN}`, "invalid authorization header"],
    ["Bearer", "invalid authorization header"],
    ["Bearer ", "invalid authorization header"],
    ["Bearer  \t ", "invalid authorization header"],
    [`Bearer\t${TOKEN}`, "invalid authorization header"],
    [`Bearer: ${TOKEN}`, "invalid authorization header"],
    [` Bearer ${TOKEN}`, "invalid authorization header"],
    [`Bearer ${TOKEN}é`, "invalid authorization header"],
    [`Bearer \u00a0${TOKEN}`, "invalid authorization header"],
    ["Bearer nope", "invalid websocket bearer token"],
    [`Bearer ${TOKEN.toUpperCase()}`, "invalid websocket bearer token"],
    [`Bearer ${TOKEN} x`, "invalid websocket bearer token"],
    [`Bearer ${TOKEN}, Bearer ${TOKEN}`, "invalid websocket bearer token"],
  ])("does not open it as %j", async (header, body) => {
    const { check } = await opened(tokenFile, TOKEN);
    expect(await check(header)).toBe(body);
  });

  test("may be known by its digest alone, in either case", async () => {
    const sha256 = createHash("sha256").update(TOKEN).digest("hex").toUpperCase();
    const { check } = await opened({ mode: "capability-token", source: { sha256 } });
    expect(await check(`Bearer ${TOKEN}`)).toBeNull();
    expect(await check("Bearer nope")).toBe("invalid websocket bearer token");
  });
});

describe("a secret's file", () => {
  test.each([
    [tokenFile, " \n\u0085\u3000", `websocket auth secret ${resolve("token")} must not be empty`],
    [
      tokenFile,
      new Uint8Array([0xff, 0x61]),
      `failed to read websocket auth secret ${resolve("token")}: stream did not contain valid UTF-8`,
    ],
    [secretFile, "", `websocket auth secret ${resolve("secret")} must not be empty`],
    [
      secretFile,
      `${"x".repeat(31)}\n`,
      `signed websocket bearer secret ${resolve("secret")} must be at least 32 bytes`,
    ],
  ])("is refused %#", async (settings, content, message) => {
    const refused = opened(settings, content);
    await expect(refused).rejects.toMatchObject({ code: "secret", message });
  });

  test("may hold its 32 bytes in fewer characters", async () => {
    await opened(secretFile, "é".repeat(16));
  });

  test("is judged before a clock skew that is too large", async () => {
    const settings = { ...secretFile, maxClockSkew: 2n ** 63n };
    await expect(opened(settings, "short")).rejects.toMatchObject({ code: "secret" });
    await expect(opened(settings, "x".repeat(32))).rejects.toMatchObject({
      code: "settings",
      message: "websocket auth clock skew must fit in a signed 64-bit integer",
    });
  });

  test("is named with the system's reason when it cannot be read", async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, "file"), "x");
    const reasons = {
      "nofile": "No such file or directory (os error 2)",
      "file/x": "Not a directory (os error 20)",
      ".": "Is a directory (os error 21)",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const file = resolve(directory.path, name);
      await expect(openAuthenticator({ mode: "capability-token", source: { file } })).rejects.toMatchObject({
        code: "secret",
        message: `failed to read websocket auth secret ${file}: ${reason}`,
      });
    }
  });
});

async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "auth-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
