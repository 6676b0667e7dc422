import { AF_INET, O_CLOEXEC } from "./linux.ts";
import { placeOfRight, rightsMessage } from "./passed_fds.ts";
import { STATUS_FD } from "./plan_layout.ts";
import { ALL_FDS, closeRange } from "./plan_monitor.ts";
import type { Program } from "./program.ts";

/** The child's end of a `Handover`, where there is one. */
export const HANDOVER_FD = STATUS_FD + 1;

/** What the helper says when its listeners are on their way. Shorter than any report of a failure. */
export const LISTENING = "L";

const SOCK_STREAM_CLOEXEC = 1 | O_CLOEXEC;
const SOCKADDR_IN_BYTES = 16;
const LOOPBACK = [127, 0, 0, 1] as const;
const MSG_NOSIGNAL = 0x4000;

/** Connections that wait for the server to take them. They come all at once from a build with many jobs. */
const BACKLOG = 256;

/**
 * Listens on the loopback of the sandbox, which only a process in its namespace can, and gives the sockets to the server,
 * which can reach the host's. Goes on when the server has them; keeps none, so that nothing in the sandbox can take
 * what is meant for the server. Only what the standard descriptors were before is open afterwards.
 */
export function passListeners(program: Program, ports: readonly number[]): void {
  const message = rightsMessage(ports.length);
  // The result of a call takes 8 bytes: the second half is where the next descriptor comes.
  const room = new Uint8Array(message.length + 8);
  room.set(message);
  const rights = program.bytes(room);
  ports.forEach((port, index) => {
    const what = `listen on port ${port}`;
    const socket = program.after(rights, placeOfRight(index));
    program.call("socket", [AF_INET, SOCK_STREAM_CLOEXEC, 0], { what, into: socket });
    program.call("bind", [{ load: socket }, program.bytes(loopback(port)), SOCKADDR_IN_BYTES], { what });
    program.call("listen", [{ load: socket }, BACKLOG], { what });
  });
  const text = program.text(LISTENING);
  const iov = program.words(text, LISTENING.length);
  const header = program.words(0, 0, iov, 1, ...(ports.length === 0 ? [0, 0] : [rights, message.length]), 0);
  const what = "hand the listeners over";
  program.call("sendmsg", [HANDOVER_FD, header, MSG_NOSIGNAL], { what });
  program.call("write", [STATUS_FD, text, LISTENING.length], { what });
  const [refused, taken] = [program.label(), program.label()];
  program.call("read", [HANDOVER_FD, program.room(8), 8], { what, onZero: refused });
  program.goto(taken);
  program.place(refused); // the server has said why, or is no more
  program.call("exit_group", [1], { what });
  program.place(taken);
  closeRange(program, HANDOVER_FD, ALL_FDS);
}

function loopback(port: number): Uint8Array {
  const address = new Uint8Array(SOCKADDR_IN_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  address.set(LOOPBACK, 4);
  return address;
}
