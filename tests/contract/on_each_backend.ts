import { CODEX_VERSIONS, findCodex, type RealCodex } from "../support/real_codex.ts";
import { describe, setDefaultTimeout, test as bunTest } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { systemClock } from "../../lib/base/clock.ts";
import { dialProgram, dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import type { Backend } from "../../lib/process/backend.ts";
import { LocalBackend } from "../../lib/process/local/local_backend.ts";
import { serve } from "../../lib/server/serve.ts";
import { SessionsHost } from "../../lib/server/sessions_host.ts";
import { memoryPair } from "../../lib/transport/memory_pair.ts";
import { spawnServer } from "../support/target_process.ts";

const MAIN = join(import.meta.dir, "../../main.ts");
const LISTEN = "ws://127.0.0.1:0";

/** Above every failure bound within a test, so that what speaks first is the sentence about what did not come. */
const TEST_TIMEOUT_MS = 30_000;

interface Place {
  readonly name: string;
  /** False for a Codex server, which can do no more than Codex. */
  readonly isOurs: boolean;
  open(stack: AsyncDisposableStack): Promise<Backend>;
}

export interface Suite {
  test(name: string, body: (backend: Backend) => Promise<void>): void;
  /** What only we can do, here or there. */
  ours(name: string, body: (backend: Backend) => Promise<void>): void;
  /** What a place says that cannot do more than Codex. */
  plain(name: string, body: (backend: Backend) => Promise<void>): void;
}

const clientName = "codex-environment";

async function connected(
  stack: AsyncDisposableStack,
  options: Pick<Parameters<typeof RemoteClient.connect>[0], "dial" | "reconnects" | "extensions">,
): Promise<Backend> {
  return stack.use(await RemoteClient.connect({ clientName, ...options })).backend;
}

const places: Place[] = [
  {
    name: "local",
    isOurs: true,
    open: (stack) => Promise.resolve(stack.use(new LocalBackend(systemClock))),
  },
  {
    name: "remote in memory",
    isOurs: true,
    open(stack) {
      const host = new SessionsHost({ clock: systemClock });
      stack.defer(() => host.close());
      const dial = () => {
        const [near, far] = memoryPair();
        host.serve(far, "websocket");
        return Promise.resolve(near);
      };
      return connected(stack, { dial, reconnects: true });
    },
  },
  {
    name: "remote over a socket",
    isOurs: true,
    async open(stack) {
      const server = await serve({ listen: LISTEN });
      stack.defer(() => server.close());
      return await connected(stack, { dial: dialWebSocket({ url: server.url }), reconnects: true });
    },
  },
  {
    name: "remote over stdio",
    isOurs: true,
    open(stack) {
      const args = ["--no-env-file", MAIN, "serve", "--listen", "stdio"];
      return connected(stack, { dial: dialProgram({ program: process.execPath, args }), reconnects: false });
    },
  },
  {
    name: "remote over a socket, as a plain Codex server",
    isOurs: false,
    async open(stack) {
      const server = await serve({ listen: LISTEN });
      stack.defer(() => server.close());
      const dial = dialWebSocket({ url: server.url });
      return await connected(stack, { dial, reconnects: true, extensions: [] });
    },
  },
  ...(await Promise.all(CODEX_VERSIONS.map(findCodex))).flatMap(realPlace),
];

function realPlace(codex: RealCodex): Place[] {
  if (!codex.found) {
    console.warn(`contract: not run against a real server: ${codex.reason}`);
    return [];
  }
  const { binary } = codex;
  return [{
    name: `codex ${codex.version}`,
    isOurs: false,
    async open(stack) {
      const home = await mkdtemp(join(tmpdir(), "contract-"));
      stack.defer(() => rm(home, { recursive: true, force: true }));
      const env = { PATH: process.env["PATH"] ?? "", HOME: home, CODEX_HOME: home };
      const server = stack.use(await spawnServer([binary, "exec-server", "--listen", LISTEN], env));
      return await connected(stack, { dial: dialWebSocket({ url: server.url }), reconnects: true });
    },
  }];
}

/** Declares the same tests for each place where processes can be started. */
export function onEachBackend(declare: (suite: Suite) => void): void {
  setDefaultTimeout(TEST_TIMEOUT_MS);
  for (const place of places) {
    const run = (name: string, body: (backend: Backend) => Promise<void>) =>
      bunTest(name, async () => {
        await using stack = new AsyncDisposableStack();
        await body(await place.open(stack));
      }, TEST_TIMEOUT_MS);
    const nowhere = () => {};
    describe(
      place.name,
      () => declare({ test: run, ours: place.isOurs ? run : nowhere, plain: place.isOurs ? nowhere : run }),
    );
  }
}
