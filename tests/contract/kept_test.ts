import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { dialProgram, dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient, type RemoteClientOptions } from "../../lib/client/remote_client.ts";
import { systemClock } from "../../lib/base/clock.ts";
import type { Backend } from "../../lib/process/backend.ts";
import { LocalBackend } from "../../lib/process/local/local_backend.ts";
import { serve } from "../../lib/server/serve.ts";
import { CutProxy } from "../support/cut_proxy.ts";
import { Followed, startOptions } from "../support/follow.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { scratchDirectory } from "../support/peer_system.ts";
import { CODEX_VERSIONS, findCodex } from "../support/real_codex.ts";
import { spawnServer } from "../support/target_process.ts";

const LISTEN = "ws://127.0.0.1:0";
const MAIN = join(import.meta.dir, "../../main.ts");

const client = (options: Pick<RemoteClientOptions, "dial" | "reconnects" | "extensions">) =>
  RemoteClient.connect({ clientName: "codex-environment", ...options });

const at = (url: string) => client({ dial: dialWebSocket({ url }), reconnects: true });

const found = await Promise.all(CODEX_VERSIONS.map(findCodex));

const keep = { name: "job", labels: { a: "b" }, ms: null };

describe("a server that keeps processes", () => {
  test("gives one to another client with all it printed, and lets it steer it", async () => {
    await using stack = new AsyncDisposableStack();
    const server = await serve({ listen: LISTEN });
    stack.defer(() => server.close());
    const first = await at(server.url);
    const script = "echo up; read word; echo $word; trap 'exit 5' TERM; while :; do sleep 0.02; done";
    const options = startOptions(["/bin/sh", "-c", script], { pipeStdin: true, keep });
    const started = new Followed(await first.backend.start(options));
    await started.outputWith("up");
    await first[Symbol.asyncDispose](); // which ends what is not kept
    await using second = await at(server.url);
    const kept = (await second.kept())!;
    const { processId } = options;
    expect(await kept.list()).toMatchObject([{
      processId,
      ...{ name: "job", labels: { a: "b" } },
      state: "running",
    }]);
    const process = new Followed(await kept.attach(processId, { write: true }));
    expect(await process.process.write(Buffer.from("down\n"), "1")).toBe("accepted");
    await process.outputWith("down");
    expect(process.text()).toBe("up\ndown\n");
    const found = await kept.logs(processId, { grep: "ow" });
    expect(found.chunks.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["down\n"]);
    const end = kept.wait(processId);
    expect(await kept.terminate(processId, { signal: "TERM", ms: 60_000 })).toBe(true);
    expect(await process.end()).toEqual({ exitCode: 5 });
    expect(await end).toMatchObject({ exitCode: 5, account: { outcome: { kind: "exited", code: 5 } } });
    await expect(kept.wait("other")).rejects.toMatchObject({ code: "unknown" });
  });

  test("goes on with whoever follows one when the connection was lost, and with who waits for one", async () => {
    await using stack = new AsyncDisposableStack();
    const server = await serve({ listen: LISTEN });
    stack.defer(() => server.close());
    await using starter = await at(server.url);
    const options = startOptions(["/bin/sh", "-c", "echo up; read word; echo $word"], {
      pipeStdin: true,
      keep,
    });
    const started = await starter.backend.start(options);
    await using proxy = await CutProxy.to(server.url);
    await using reader = await at(proxy.url);
    const kept = (await reader.kept())!;
    const process = new Followed(await kept.attach(options.processId, { write: false }));
    await process.outputWith("up");
    const end = kept.wait(options.processId);
    proxy.cut();
    await untilTrue(() => reader.state.state !== "connected", "the loss");
    await started.write(Buffer.from("down\n"), "1");
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.text()).toBe("up\ndown\n");
    expect((await end).exitCode).toBe(0);
  });
});

describe("where nothing is kept", () => {
  /** Refused, and it did not run. */
  async function refuses(backend: Backend): Promise<void> {
    using directory = scratchDirectory();
    const ran = `${directory.path}/ran`;
    const starting = async () => await backend.start(startOptions(["touch", ran], { keep }));
    await expect(starting()).rejects.toMatchObject({ code: "unsupported" });
    const process = new Followed(await backend.start(startOptions(["true"])));
    await process.end();
    expect(existsSync(ran)).toBe(false);
  }

  test("a start that asks for it is refused right here", async () => {
    await using backend = new LocalBackend(systemClock);
    await refuses(backend);
  });

  test("a start that asks for it is refused over stdio, whose server ends with us", async () => {
    const args = ["--no-env-file", MAIN, "serve", "--listen", "stdio"];
    await using far = await client({
      dial: dialProgram({ program: process.execPath, args }),
      reconnects: false,
    });
    expect(await far.kept()).toBeNull();
    await refuses(far.backend);
  });

  test("a start that asks for it is refused where the server does not know how", async () => {
    await using server = await spawnServer([
      process.execPath,
      "--no-env-file",
      MAIN,
      "serve",
      "--listen",
      LISTEN,
    ]);
    await using far = await client({
      dial: dialWebSocket({ url: server.url }),
      reconnects: true,
      extensions: [],
    });
    expect(await far.kept()).toBeNull();
    await refuses(far.backend);
  });

  for (const codex of found) {
    test.skipIf(!codex.found)(`a start that asks for it is refused at codex ${codex.version}`, async () => {
      if (!codex.found) return;
      using home = scratchDirectory();
      const env = { PATH: process.env["PATH"] ?? "", HOME: home.path, CODEX_HOME: home.path };
      await using server = await spawnServer([codex.binary, "exec-server", "--listen", LISTEN], env);
      await using far = await at(server.url);
      expect(await far.kept()).toBeNull();
      await refuses(far.backend);
    }, 30_000);
  }
});
