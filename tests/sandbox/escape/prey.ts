import { chmodSync, readFileSync, readlinkSync } from "node:fs";
import type { Program } from "../../../lib/sandbox/program.ts";
import type { Prey, Scene } from "./raid.ts";
import { RawCalls } from "./raw_calls.ts";

const IPC_CREAT = 0o1000;

/** A process of the invader's that is in no sandbox; `prey` is its pid. */
export async function bystander({ invader }: Pick<Scene, "invader">): Promise<Prey> {
  const child = Bun.spawn([...invader.prefix, "sh", "-c", "echo ready; exec sleep 1000"], { stdout: "pipe" });
  await child.stdout.getReader().read();
  const end = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { prey: String(child.pid), end };
}

/** Where the stack of a process is, whose memory nobody needs. */
export function stackOf(pid: string): number {
  const [, start] = /^([0-9a-f]+)-\S+ rw\S+ .*\[stack\]$/m.exec(readFileSync(`/proc/${pid}/maps`, "utf8")) ??
    [];
  if (start === undefined) throw new Error(`Process ${pid} has no stack`);
  return Number.parseInt(start, 16);
}

/** A terminal on which somebody else works; `prey` is its path. */
export function terminal({ invader }: Pick<Scene, "invader">): Prey {
  const child = Bun.spawn([...invader.prefix, "sleep", "1000"], { terminal: { data() {} } });
  const end = async () => {
    child.kill("SIGKILL");
    await child.exited;
    child.terminal?.close();
  };
  return { prey: readlinkSync(`/proc/${child.pid}/fd/0`), end };
}

/** A segment of shared memory; `prey` is its key. */
export async function sharedMemory(scene: Pick<Scene, "ground" | "peer">): Promise<Prey> {
  const key = process.pid;
  const make = (program: Program) => program.call("shmget", [key, 4096, IPC_CREAT | 0o666], { what: "make" });
  const { exitCode } = await scene.peer.run({
    argv: ["/bin/sh", "-c", new RawCalls(scene.ground, make).command],
  });
  if (exitCode !== 0) throw new Error("Cannot make shared memory");
  return { prey: String(key), end: () => scene.peer.run({ argv: ["ipcrm", "-M", String(key)] }) };
}

const ANSWERING = { data: (socket: Bun.Socket) => void socket.end("x") };

/** Answers whoever says something; `prey` is its port. */
export function loopbackServer(): Prey {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: ANSWERING });
  return { prey: String(server.port), end: () => server.stop(true) };
}

/** The same on a socket of the file system; `prey` is its path. */
export function localServer({ ground }: Pick<Scene, "ground">): Prey {
  const path = `${ground.path}/socket`;
  const server = Bun.listen({ unix: path, socket: ANSWERING });
  chmodSync(path, 0o777);
  return { prey: path, end: () => server.stop(true) };
}

/** The same with a name that is no file's; `prey` is the name. */
export function abstractServer({ ground }: Pick<Scene, "ground">): Prey {
  const server = Bun.listen({ unix: `\0${ground.path}`, socket: ANSWERING });
  return { prey: ground.path, end: () => server.stop(true) };
}

/** Answers each datagram; `prey` is its port. */
export async function nameServer(): Promise<Prey> {
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: (socket, _, port, address) => void socket.send("x", port, address) },
  });
  return { prey: String(socket.port), end: () => socket.close() };
}
