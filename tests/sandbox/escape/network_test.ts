import { readFileSync } from "node:fs";
import type { Program } from "../../../lib/sandbox/program.ts";
import { NO_NETWORK, workspaceWrite } from "../../support/sandbox_context.ts";
import type { Ground } from "./ground.ts";
import { type Invader, needsRoot, setting } from "./invaders.ts";
import { abstractServer, localServer, loopbackServer, nameServer } from "./prey.ts";
import { raid } from "./raid.ts";

const [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK] = [1, 2, 10, 16, 17, 40] as const;
const [STREAM, DATAGRAM, RAW] = [1, 2, 3] as const;
const IPPROTO_ICMP = 1;
const QUESTION = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Goes there, says something and waits for the beginning of an answer. */
function ask(program: Program, [family, type]: readonly [number, number], address: Uint8Array): void {
  const fd = program.room(8);
  program.call("socket", [family, type, 0], { what: "socket", into: fd });
  program.call("connect", [{ load: fd }, program.bytes(address), address.length], { what: "connect" });
  program.call("write", [{ load: fd }, program.text(QUESTION), QUESTION.length], { what: "write" });
  program.call("read", [{ load: fd }, program.room(8), 1], { what: "read" });
}

function onLoopback(port: string | number): Uint8Array {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET);
  address.writeUInt16BE(Number(port), 2);
  address.set([127, 0, 0, 1], 4);
  return address;
}

function named(name: string): Uint8Array {
  return Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)]);
}

const withoutUring = ({ isRoot }: Invader) => {
  const disabled = Number(setting("kernel.io_uring_disabled") ?? 0);
  return disabled > (isRoot ? 1 : 0) ? `kernel.io_uring_disabled is ${disabled}` : null;
};
const protocols = readFileSync("/proc/net/protocols", "utf8");
const hasVsock = protocols.includes("AF_VSOCK");
const hasIpv6 = protocols.includes("TCPv6");

const never = () => null;
const SOCKETS: readonly [string, number, number, number, (invader: Invader) => string | null][] = [
  ["for datagrams", AF_INET, DATAGRAM, 0, never],
  ["of the newer internet", AF_INET6, STREAM, 0, () => hasIpv6 ? null : "the kernel has no IPv6"],
  ["to the kernel's tables", AF_NETLINK, RAW, 0, never],
  ["for raw packets", AF_INET, RAW, IPPROTO_ICMP, needsRoot("CAP_NET_RAW")],
  ["for whole frames", AF_PACKET, RAW, 0, needsRoot("CAP_NET_RAW")],
  ["to the host of this machine", AF_VSOCK, STREAM, 0, () => hasVsock ? null : "the kernel has no AF_VSOCK"],
];

const CONTEXTS = [
  ["the network", ({ work }: Ground) => workspaceWrite(work)],
  ["nothing but the network", () => NO_NETWORK],
] as const;

raid(({ attempt }) => {
  for (const [what, sandbox] of CONTEXTS) {
    const where = `where ${what} is restricted`;

    attempt(`${where}, a server on loopback cannot be asked`, {
      prepare: loopbackServer,
      calls: (program, { prey }) => ask(program, [AF_INET, STREAM], onLoopback(prey)),
      sandbox,
      refused: /socket: EPERM/,
    });

    attempt(`${where}, our own server cannot be asked to run something without a sandbox`, {
      calls: (program, { server }) => ask(program, [AF_INET, STREAM], onLoopback(new URL(server.url).port)),
      sandbox,
      refused: /socket: EPERM/,
    });

    attempt(`${where}, no name server can be asked`, {
      prepare: nameServer,
      calls: (program, { prey }) => ask(program, [AF_INET, DATAGRAM], onLoopback(prey)),
      sandbox,
      refused: /socket: EPERM/,
    });

    attempt(`${where}, a server on a local socket cannot be asked`, {
      prepare: localServer,
      calls: (program, { prey }) => ask(program, [AF_UNIX, STREAM], named(`${prey}\0`)),
      sandbox,
      refused: /connect: EPERM/,
    });

    attempt(`${where}, a server on an abstract socket cannot be asked`, {
      prepare: abstractServer,
      calls: (program, { prey }) => ask(program, [AF_UNIX, STREAM], named(`\0${prey}`)),
      sandbox,
      refused: /connect: EPERM/,
    });

    attempt(`${where}, nobody outside can be waited for on a local socket`, {
      calls: (program, { ground }) => {
        const fd = program.room(8);
        const address = named(`\0${ground.path}`);
        program.call("socket", [AF_UNIX, STREAM, 0], { what: "socket", into: fd });
        program.call("bind", [{ load: fd }, program.bytes(address), address.length], { what: "bind" });
      },
      sandbox,
      refused: /bind: EPERM/,
    });

    for (const [kind, family, type, protocol, already] of SOCKETS) {
      attempt(`${where}, there is no socket ${kind}`, {
        calls: (program) => program.call("socket", [family, type, protocol], { what: "socket" }),
        sandbox,
        already,
        refused: /socket: EPERM/,
      });
    }

    attempt(`${where}, io_uring does no work past the filter`, {
      calls: (program) => program.call("io_uring_setup", [1, program.room(120)], { what: "set up" }),
      sandbox,
      already: withoutUring,
      refused: /set up: EPERM/,
    });
  }

  attempt("where the network is open, io_uring does no work past the filter", {
    calls: (program) => program.call("io_uring_setup", [1, program.room(120)], { what: "set up" }),
    sandbox: ({ work }) => workspaceWrite(work, "enabled"),
    already: withoutUring,
    refused: /set up: EPERM/,
  });
});
