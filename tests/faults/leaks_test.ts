import { dlopen, FFIType, ptr } from "bun:ffi";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { expect, test } from "bun:test";
import { Peer, type StartParams } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { oursTarget } from "../support/target_ours.ts";
import { spawnServer } from "../support/target_process.ts";
import { spawnOurs } from "./spawned_server.ts";
import { childrenOf, descriptorsOf, residentMiB } from "./system_facts.ts";

/** At a time, so that neither side idles. */
const PIPELINED = 32;

/** A session holds what its processes did for a while; this many are held at a time. */
const PER_SESSION = process.env.EXEC_SERVER_LONG === "1" ? 500 : 200;

async function runInOneSession(url: string, times: number, params: StartParams): Promise<void> {
  await using peer = await Peer.ready(url);
  let left = times;
  const runOnAndOn = async () => {
    while (left-- > 0) {
      const processId = await peer.start(params);
      await peer.waitFor(
        ({ method, params }) => method === "process/closed" && params?.processId === processId,
        `the end of ${processId}`,
        Math.max(0, peer.messages.length - 4 * PIPELINED),
      );
    }
  };
  await Promise.all(Array.from({ length: PIPELINED }, runOnAndOn));
  const codes = peer.messages.flatMap(({ method, params }) =>
    method === "process/exited" ? [params?.exitCode] : []
  );
  expect(codes).toEqual(Array.from({ length: times }, () => 0));
}

test(
  "thousands of processes on pipes and hundreds on terminals leave no descriptor, no zombie and no memory behind",
  async () => {
    const kinds: StartParams[] = [
      { argv: ["/bin/true"] },
      { argv: ["/bin/true"], tty: true },
      { argv: ["/bin/true"], pipeStdin: true },
    ];
    // Sessions end at once when their peer leaves, so that what processes leave is told from what is kept on purpose.
    await using server = await spawnOurs(["--detach-ttl", "0s"]);
    for (const params of kinds) await runInOneSession(server.url, 100, params);
    await untilTrue(() => childrenOf(server.pid).length === 0, "the end of every child");
    const descriptors = descriptorsOf(server.pid).length;

    const resident: number[] = [];
    for (let session = 0; session < 10; session++) {
      await runInOneSession(server.url, PER_SESSION, kinds[0]);
      resident.push(residentMiB(server.pid));
    }
    for (const params of kinds) await runInOneSession(server.url, 200, params);
    await untilTrue(() => childrenOf(server.pid).length === 0, "the end of every child");
    await untilTrue(
      () => descriptorsOf(server.pid).length <= descriptors,
      `no more descriptors than ${descriptors}`,
    );
    // The lowest of several: between two collections there is garbage, which is no leak.
    expect(Math.min(...resident.slice(-4)) - Math.min(...resident.slice(0, 4))).toBeLessThan(30);
  },
  60_000,
);

test("starts that fail leave nothing behind", async () => {
  await using server = await spawnOurs();
  await using peer = await Peer.ready(server.url);
  const failing: Partial<StartParams>[] = [
    { argv: ["/no/such/program"] },
    { argv: ["no-such-program"] },
    { argv: ["/bin/true"], cwd: "file:///no/such/directory" },
    { argv: ["/dev/null"] },
    { argv: [""] },
    { argv: ["/bin/true", "\0"] },
    { argv: ["/bin/true", "x".repeat(4 * 1024 * 1024)] },
  ];
  const failAll = async () => {
    for (const params of failing) {
      for (const more of [{}, { tty: true }, { pipeStdin: true }]) {
        const start = peer.startParams({ argv: [], processId: "never", ...params, ...more });
        expect((await refusal(peer.call("process/start", start))).code).toBe(-32603);
      }
    }
  };
  await failAll();
  const descriptors = descriptorsOf(server.pid).length;
  for (let round = 0; round < 10; round++) await failAll();
  await untilTrue(() => descriptorsOf(server.pid).length <= descriptors, "no descriptor to be left");
  expect(childrenOf(server.pid)).toEqual([]);
  expect(peer.messages.filter(({ method }) => method !== undefined)).toEqual([]);
  expect((await peer.run({ argv: ["/bin/echo", "here"], processId: "never" })).stdout).toBe("here\n");
});

test("children are given the descriptors 0 to 2 and no other, however many start at once", async () => {
  await using server = await spawnOurs();
  await using peer = await Peer.ready(server.url);
  // The shell that asks is the child itself, and stays it: a last command would take its place.
  const list = 'ls -1 "/proc/$$/fd"; true';
  const kinds = [{}, { tty: true }, { pipeStdin: true }];
  const ids = await Promise.all(
    Array.from({ length: 45 }, (_, index) => peer.shell(list, kinds[index % kinds.length])),
  );
  for (const id of ids) {
    const { stdout, pty } = await peer.outcome(id);
    expect((stdout + pty).trim().split(/\s+/).sort()).toEqual(["0", "1", "2"]);
  }
});

test("a low soft limit on descriptors is raised to the hard one, so that hundreds of processes fit", async () => {
  const ours = oursTarget().command(["--listen", "ws://127.0.0.1:0"]);
  const hard = 4_096;
  const limited = ["/bin/sh", "-c", `ulimit -Sn 128 && ulimit -Hn ${hard} && exec "$@"`, "sh", ...ours];
  await using server = await spawnServer(limited);
  const limits = readFileSync(`/proc/${server.pid}/limits`, "utf8").match(/^Max open files\s+(\d+)\s+(\d+)/m);
  expect(limits?.slice(1)).toEqual([`${hard}`, `${hard}`]);
  await using peer = await Peer.ready(server.url);
  const ids = await Promise.all(
    Array.from({ length: 100 }, () => peer.start({ argv: ["/bin/cat"], pipeStdin: true })),
  );
  expect(descriptorsOf(server.pid).length).toBeGreaterThan(256);
  for (const id of ids) expect(await peer.terminate(id)).toBe(true);
});

test("a start for which no descriptor is left is refused, and the server goes on", async () => {
  const ours = oursTarget().command(["--listen", "ws://127.0.0.1:0"]);
  await using server = await spawnServer(["/bin/sh", "-c", 'ulimit -n 96 && exec "$@"', "sh", ...ours]);
  await using peer = await Peer.ready(server.url);
  const running: string[] = [];
  let refused;
  while (refused === undefined && running.length < 96) {
    const start = peer.startParams({ argv: ["/bin/cat"], pipeStdin: true });
    await peer.call("process/start", start).then(
      () => running.push(start.processId),
      (error) => refused = error.body,
    );
  }
  expect(refused).toMatchObject({ code: -32603, message: "Too many open files (os error 24)" });
  for (const id of running) {
    expect(await peer.terminate(id)).toBe(true);
    await peer.outcome(id);
  }
  expect((await peer.run({ argv: ["/bin/echo", "room again"] })).stdout).toBe("room again\n");
});

test("the server's side of a connection has TCP_NODELAY set", async () => {
  await using server = await oursTarget().serve({ movableTime: true });
  await using peer = await Peer.ready(server.url);
  expect(await peer.call<object>("environment/status")).toEqual({ status: "ready" });
  const sockets = ownSocketsAt(Number(new URL(server.url).port));
  expect(sockets.length).toBeGreaterThan(0);
  for (const fd of sockets) expect(noDelayOf(fd)).toBe(1);
});

/** Our descriptors of established connections whose own port this is. */
function ownSocketsAt(port: number): number[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const established = "01";
  const inodes = readFileSync("/proc/self/net/tcp", "utf8").split("\n").map((line) =>
    line.trim().split(/\s+/)
  )
    .filter((fields) => fields[1]?.endsWith(local) && fields[3] === established)
    .map((fields) => `socket:[${fields[9]}]`);
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return inodes.includes(readlinkSync(`/proc/self/fd/${fd}`));
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return false;
      throw error;
    }
  }).map(Number);
}

function libc() {
  const symbols = {
    getsockopt: {
      args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr],
      returns: FFIType.i32,
    },
  } as const;
  try {
    return dlopen("libc.so.6", symbols).symbols;
  } catch {
    // musl carries the machine's name in the library's.
    return dlopen(`libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, symbols).symbols;
  }
}

function noDelayOf(fd: number): number {
  const [IPPROTO_TCP, TCP_NODELAY] = [6, 1];
  const value = new Int32Array([-1]);
  const size = new Uint32Array([value.byteLength]);
  const result = libc().getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ptr(value), ptr(size));
  if (result !== 0) throw new Error(`getsockopt failed on ${fd}`);
  return value[0];
}

test("children are not given the raised limit, but the one that our parent has", async () => {
  const ours = oursTarget().command(["--listen", "ws://127.0.0.1:0"]);
  // Not exec: the shell stays, and is the parent that is looked at.
  const limited = ["/bin/sh", "-c", `ulimit -Sn 700; "$@"; true`, "sh", ...ours];
  await using server = await spawnServer(limited);
  await using peer = await Peer.ready(server.url);
  for (const tty of [false, true]) {
    const { stdout, pty } = await peer.run({ argv: ["/bin/sh", "-c", "ulimit -Sn"], tty });
    expect((stdout + pty).trim()).toBe("700");
  }
  // The shell hands our signals to nobody, and ends when the server does.
  for (const { pid } of childrenOf(server.pid)) process.kill(pid, "SIGTERM");
  await server.exited;
});
