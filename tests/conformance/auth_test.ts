import { expect } from "bun:test";
import { createHash } from "node:crypto";
import { Peer } from "../support/peer.ts";
import { putFile, scratchDirectory } from "../support/peer_system.ts";
import { jwt } from "../support/peer_token.ts";
import { rawHttp, UPGRADE } from "../support/raw_http.ts";
import type { RunningServer } from "../support/target.ts";
import { onEachTarget } from "./on_each_target.ts";

const SECRET = "a secret of at least thirty-two bytes";
const now = () => Math.floor(Date.now() / 1000);

async function answerTo(server: RunningServer, authorization: string | undefined): Promise<[number, string]> {
  const headers = { ...UPGRADE, Authorization: authorization };
  const { status, body } = await rawHttp(server.url, { headers });
  return [status, body];
}

const MALFORMED = [
  "Basic dG9rZW4=",
  "Bearer",
  "Bearer ",
  "Bearer    ",
  "Bearer\ttoken",
  "token",
  "",
  "Bearer t\u00f6ken",
];

onEachTarget(({ target, test }) => {
  test("17 a capability token opens, in any case of the scheme; all else is 401 with its body", async () => {
    using directory = scratchDirectory();
    const file = putFile(directory.path, "token", "\n  the-token \n");
    const digest = createHash("sha256").update("the-token").digest("hex");
    for (
      const source of [["--ws-token-file", file], ["--ws-token-sha256", digest], [
        "--ws-token-sha256",
        digest.toUpperCase(),
      ]]
    ) {
      await using server = await target.serve({ flags: ["--ws-auth", "capability-token", ...source] });
      for (
        const right of ["Bearer the-token", "bearer the-token", "BEARER the-token", "Bearer   the-token  "]
      ) {
        expect([right, ...await answerTo(server, right)]).toEqual([right, 101, ""]);
      }
      expect(await answerTo(server, undefined)).toEqual([401, "missing websocket bearer token"]);
      for (const malformed of MALFORMED) {
        expect([malformed, ...await answerTo(server, malformed)]).toEqual([
          malformed,
          401,
          "invalid authorization header",
        ]);
      }
      for (const wrong of ["Bearer the-Token", "Bearer the-token x", "Bearer x", `Bearer ${digest}`]) {
        expect([wrong, ...await answerTo(server, wrong)]).toEqual([
          wrong,
          401,
          "invalid websocket bearer token",
        ]);
      }
      await using peer = await Peer.ready(server.url, { Authorization: "Bearer the-token" });
      expect(await peer.call("environment/status")).toEqual({ status: "ready" });
    }
  });

  test("17 there is no other way to hand over the token, and the checks of the upgrade come first", async () => {
    const digest = createHash("sha256").update("t").digest("hex");
    await using server = await target.serve({
      flags: ["--ws-auth", "capability-token", "--ws-token-sha256", digest],
    });
    for (
      const request of [
        { headers: UPGRADE, path: "/?token=t&access_token=t" },
        { headers: { ...UPGRADE, "Sec-WebSocket-Protocol": "bearer, t" } },
      ]
    ) {
      const { status, body } = await rawHttp(server.url, request);
      expect([status, body]).toEqual([401, "missing websocket bearer token"]);
    }
    const withoutKey = await rawHttp(server.url, { headers: { ...UPGRADE, "Sec-WebSocket-Key": undefined } });
    expect(withoutKey.status).toBe(400);
    expect((await rawHttp(server.url, { path: "/x", headers: UPGRADE })).status).toBe(404);
  });

  test("17 without --ws-auth an Authorization header is ignored", async () => {
    await using server = await target.serve();
    expect(await answerTo(server, "Bearer whatever")).toEqual([101, ""]);
    expect(await answerTo(server, "nonsense")).toEqual([101, ""]);
  });

  test("18 a signed bearer token opens when it is valid; all else is 401 with its body", async () => {
    using directory = scratchDirectory();
    const file = putFile(directory.path, "secret", `  ${SECRET}\n`);
    await using server = await target.serve({
      flags: ["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", file],
    });
    const valid = { exp: now() + 60 };
    const invalid = "invalid websocket jwt";
    const expectations: [string, string, number, string][] = [
      ["valid", jwt(valid, SECRET), 101, ""],
      [
        "typ and strange claims",
        jwt({ ...valid, iat: "x", sub: 5 }, SECRET, { alg: "HS256", typ: "x" }),
        101,
        "",
      ],
      ["iss and aud not configured", jwt({ ...valid, iss: "who", aud: ["a"] }, SECRET), 101, ""],
      ["expired within the skew", jwt({ exp: now() - 20 }, SECRET), 101, ""],
      ["expired beyond the skew", jwt({ exp: now() - 32 }, SECRET), 401, "expired websocket jwt"],
      ["nbf ahead within the skew", jwt({ ...valid, nbf: now() + 20 }, SECRET), 101, ""],
      [
        "nbf ahead beyond the skew",
        jwt({ ...valid, nbf: now() + 60 }, SECRET),
        401,
        "websocket jwt is not valid yet",
      ],
      ["no exp", jwt({}, SECRET), 401, invalid],
      ["exp a string", jwt({ exp: String(valid.exp) }, SECRET), 401, invalid],
      ["exp a fraction", jwt({ exp: valid.exp + 0.5 }, SECRET), 401, invalid],
      ["none", jwt(valid, SECRET, { alg: "none" }), 401, invalid],
      ["HS384", jwt(valid, SECRET, { alg: "HS384" }), 401, invalid],
      ["HS512", jwt(valid, SECRET, { alg: "HS512" }), 401, invalid],
      ["another secret", jwt(valid, `${SECRET}!`), 401, invalid],
      ["no JWT", "x.y", 401, invalid],
      ["aud of a wrong type", jwt({ ...valid, aud: 5 }, SECRET), 401, invalid],
    ];
    for (const [name, token, status, body] of expectations) {
      expect([name, ...await answerTo(server, `Bearer ${token}`)]).toEqual([name, status, body]);
    }
    expect(await answerTo(server, undefined)).toEqual([401, "missing websocket bearer token"]);
    for (const malformed of MALFORMED) {
      expect([malformed, ...await answerTo(server, malformed)]).toEqual([
        malformed,
        401,
        "invalid authorization header",
      ]);
    }
  });

  test("18 issuer, audience and skew are checked when they are configured", async () => {
    using directory = scratchDirectory();
    const file = putFile(directory.path, "secret", SECRET);
    await using server = await target.serve({
      flags: [
        ...["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", file],
        ...["--ws-issuer", "me", "--ws-audience", "you", "--ws-max-clock-skew-seconds", "5"],
      ],
    });
    const valid = { exp: now() + 60, iss: "me", aud: "you" };
    const issuer = "websocket jwt issuer mismatch";
    const audience = "websocket jwt audience mismatch";
    const expectations: [string, object, number, string][] = [
      ["valid", valid, 101, ""],
      ["one of several audiences", { ...valid, aud: ["them", "you"] }, 101, ""],
      ["wrong issuer", { ...valid, iss: "Me" }, 401, issuer],
      ["no issuer", { ...valid, iss: undefined }, 401, issuer],
      ["wrong audience", { ...valid, aud: "them" }, 401, audience],
      ["wrong audiences", { ...valid, aud: ["them"] }, 401, audience],
      ["no audience", { ...valid, aud: undefined }, 401, audience],
      ["expired beyond a skew of 5", { ...valid, exp: now() - 10 }, 401, "expired websocket jwt"],
    ];
    for (const [name, claims, status, body] of expectations) {
      expect([name, ...await answerTo(server, `Bearer ${jwt(claims, SECRET)}`)]).toEqual([
        name,
        status,
        body,
      ]);
    }
  });
});
