import { expect } from "bun:test";
import { createServer } from "node:net";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import {
  confined,
  context,
  type Json,
  NO_NETWORK,
  READ_ONLY,
  runConfined,
} from "../support/sandbox_context.ts";
import { onEachTarget } from "./on_each_target.ts";

const CANNOT = "sandbox intent cannot be enforced on this executor";

/** A service on the host that says its name to whoever comes. */
async function listening(name: string): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => void socket.on("error", () => {}).end(name)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot listen");
  return { port: address.port, close: () => void server.close() };
}

onEachTarget(({ target, test }) => {
  const isOurs = target.name === "ours";
  const refused = async (peer: Peer, sandbox: unknown, more: Json) =>
    await refusal(peer.call("process/start", confined(peer, sandbox, more)));

  test("fs 84 a managed network has its proxy, and nothing else of the host or beyond", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const proxy = await listening("proxy");
    const other = await listening("other");
    try {
      const http_proxy = `http://127.0.0.1:${proxy.port}`;
      const get = (variable: string) =>
        `address=\${${variable}#http://}; exec 3<>/dev/tcp/127.0.0.1/\${address##*:} && cat <&3`;
      const env = { http_proxy, other: `http://127.0.0.1:${other.port}` };
      const run = (sandbox: unknown, variable: string, more: Json = {}) => {
        const argv = ["bash", "-c", get(variable)];
        const params = {
          argv,
          env: { PATH: process.env.PATH ?? "", ...env },
          enforceManagedNetwork: true,
          ...more,
        };
        return runConfined(peer, sandbox, "", params);
      };
      const allowed = { managedNetwork: { loopbackPorts: [proxy.port], allowLocalBinding: true } };
      expect((await run(null, "other", { enforceManagedNetwork: false })).stdout).toBe("other");
      for (const sandbox of [READ_ONLY, NO_NETWORK, context({ type: "disabled" })]) {
        for (const more of [{}, allowed, { managedNetwork: null }]) {
          expect((await run(sandbox, "http_proxy", more)).stdout).toBe("proxy");
          expect(await run(sandbox, "other", more)).toMatchObject({ stdout: "", exitCode: 1 });
        }
      }
    } finally {
      proxy.close();
      other.close();
    }
  });

  test("fs 84 a managed network that does not fit its command is refused before that runs", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const http_proxy = "http://127.0.0.1:9";
    const cases: [Record<string, string>, Json, string][] = [
      [{}, {}, "managed proxy mode requires proxy environment variables"],
      [{ http_proxy: "" }, {}, "managed proxy mode requires proxy environment variables"],
      [
        { http_proxy: "http://192.0.2.1:3128" },
        {},
        "managed proxy mode requires parseable loopback proxy endpoints",
      ],
      [
        { http_proxy: "http://[::1]:9" },
        {},
        "managed proxy mode requires parseable loopback proxy endpoints",
      ],
      [
        { http_proxy },
        { managedNetwork: { loopbackPorts: [10] } },
        "proxy endpoint is outside the managed sandbox context",
      ],
    ];
    for (const [env, more, reason] of cases) {
      const params = { env, enforceManagedNetwork: true, ...more };
      if (isOurs) {
        expect(await refused(peer, READ_ONLY, params)).toMatchObject({
          code: -32602,
          message: `${CANNOT}: ${reason}`,
        });
        continue;
      }
      // It answers before it knows.
      const outcome = await runConfined(peer, READ_ONLY, "", { argv: ["/bin/true"], ...params });
      expect(outcome).toMatchObject({ exitCode: 101, sandboxDenied: true });
      expect(outcome.stderr).toContain(reason);
    }
    const wrong: [unknown, string][] = [
      [5, "invalid type: number, expected struct ManagedNetworkSandboxContext"],
      [{ loopbackPorts: null }, "invalid type: null, expected a sequence"],
      [{ loopbackPorts: ["a"] }, 'invalid type: string "a", expected u16'],
      [{ loopbackPorts: [1, 70000] }, "invalid number"],
      [{ loopbackPorts: [1.5] }, "invalid number"],
      [{ allowLocalBinding: 1 }, "invalid type: number, expected a boolean"],
    ];
    for (const [managedNetwork, message] of wrong) {
      expect(await refused(peer, null, { managedNetwork })).toMatchObject({ code: -32602, message });
    }
  });
});
