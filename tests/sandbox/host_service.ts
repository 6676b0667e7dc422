import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { StartWords } from "./confined.ts";

export const NAME = { argv: ["bash"], programs: ["/bin/bash", "/usr/bin/bash"] };
/** A line of it that may reach these ports; all that it says is output. */
export const bash = (line: string, ports: readonly number[]): StartWords => ({
  ...NAME,
  argv: ["bash", "-c", `exec 2>&1\n${line}`],
  ports,
});
/** A script for the runtime that runs this test, with `net` and `port` at hand. */
export const script = (port: number, source: string): StartWords => ({
  programs: [process.execPath],
  argv: ["bun", "-e", `const net = require("node:net"), port = ${port};\n${source}`],
  ports: [port],
});

export interface Service extends AsyncDisposable {
  readonly port: number;
  readonly sockets: Set<Socket>;
}

/** Something on the host that takes connections. */
export async function service(
  serve: (socket: Socket) => void,
  host = "127.0.0.1",
  port = 0,
): Promise<Service> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Says so to whoever asks, as HTTP. */
export const greeting = (text: string) =>
  service((socket) => {
    socket.once("data", () => socket.end(`HTTP/1.0 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`));
  });
export const echo = () => service((socket) => void socket.pipe(socket));
export const openFds = () => readdirSync("/proc/self/fd").length;

/** What a loop needs to close things that are closed already. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1);
}

export async function connects(port: number, host: string): Promise<boolean> {
  const socket = connect({ port, host });
  const connected = await Promise.race([
    once(socket, "connect").then(() => true, () => false),
    once(socket, "error").then(() => false),
  ]);
  socket.destroy();
  return connected;
}
