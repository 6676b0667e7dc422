import { realpathSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { systemClock } from "../../lib/base/clock.ts";
import { dialWebSocket } from "../../lib/client/dial.ts";
import type { Dial } from "../../lib/client/open_session.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { beneath } from "../../lib/fs/local/beneath.ts";
import { filesOf, localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import { holdView } from "../../lib/sandbox/hold.ts";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import type { Support } from "../../lib/sandbox/support.ts";
import { serve } from "../../lib/server/serve.ts";
import { SessionsHost } from "../../lib/server/sessions_host.ts";
import { memoryPair } from "../../lib/transport/memory_pair.ts";
import { CODEX_VERSIONS, findCodex } from "./real_codex.ts";
import { mechanism, rulesOf } from "../sandbox/confined.ts";
import { spawnServer } from "./target_process.ts";

export interface OpenFiles extends AsyncDisposable {
  readonly files: FileSystem;
}

/** A way to the files of this machine, whoever carries them. */
export interface FileTarget {
  readonly name: string;
  /** What a server can that is not ours: everything the older Codex cannot is left out of what is promised there. */
  readonly server: "ours" | "0.169.0" | "0.145.0" | null;
  /** false: nothing there can be watched. */
  readonly watches?: boolean;
  open(): Promise<OpenFiles>;
}

export function dialInMemory(host: SessionsHost): Dial {
  return () => {
    const [near, far] = memoryPair();
    host.serve(far, "websocket");
    return Promise.resolve(near);
  };
}

async function through(stack: AsyncDisposableStack, dial: Dial): Promise<OpenFiles> {
  const client = stack.use(await RemoteClient.connect({ dial, clientName: "tests", reconnects: true }));
  const files = await client.files();
  return { files, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const here: FileTarget[] = [
  {
    name: "local",
    server: null,
    open: () => Promise.resolve({ files: localFileSystem, [Symbol.asyncDispose]: () => Promise.resolve() }),
  },
  {
    name: "remote in memory",
    server: "ours",
    open() {
      const stack = new AsyncDisposableStack();
      const host = new SessionsHost({ clock: systemClock });
      stack.defer(() => host.close());
      return through(stack, dialInMemory(host));
    },
  },
  {
    name: "remote over a socket",
    server: "ours",
    async open() {
      const stack = new AsyncDisposableStack();
      const server = await serve({ listen: "ws://127.0.0.1:0" });
      stack.defer(() => server.close());
      return await through(stack, dialWebSocket({ url: server.url }));
    },
  },
];

const real = await Promise.all(CODEX_VERSIONS.map(async (version): Promise<FileTarget[]> => {
  const codex = await findCodex(version);
  if (!codex.found) {
    console.warn(`contract: ${codex.reason}`);
    return [];
  }
  return [{
    name: `codex ${version}`,
    server: version,
    async open() {
      const stack = new AsyncDisposableStack();
      const home = await mkdtemp(join(tmpdir(), "contract-"));
      stack.defer(() => rm(home, { recursive: true, force: true }));
      const env = { PATH: process.env["PATH"] ?? "", HOME: home, CODEX_HOME: home };
      const argv = [codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"];
      const server = stack.use(await spawnServer(argv, env));
      return await through(stack, dialWebSocket({ url: server.url }));
    },
  }];
}));

/** All of this machine may be read, and only where tests make their files may anything be written. */
function confinedBy(mechanism: NonNullable<Support["mechanism"]>): FileTarget {
  return {
    name: "confined",
    server: null,
    watches: false,
    async open() {
      const directory = bytePathOf(realpathSync(tmpdir()));
      const view = await holdView(rulesOf([{ kind: "write", path: directory }]), mechanism);
      return {
        files: filesOf(beneath({ fd: view.root, masks: view.masks })),
        [Symbol.asyncDispose]: () => Promise.resolve(view.close()),
      };
    },
  };
}

const confined = mechanism === null ? [] : [confinedBy(mechanism)];
export const fileTargets: readonly FileTarget[] = [...here, ...confined, ...real.flat()];
