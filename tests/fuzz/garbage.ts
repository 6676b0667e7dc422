import { frameBytes } from "../faults/bare_socket.ts";
import { OPCODE } from "../support/raw_frame.ts";
import type { Dice } from "./dice.ts";

/** One thing said to a server that no client would say, as the bytes on the wire, and what it is. */
export type Garbage = { kind: string; bytes: Buffer };

const CHILD = { argv: ["/bin/true"], cwd: "file:///", env: { A: "b" }, tty: false };

/** What a client does say. None of it does harm, however it is bent. */
const VALID: readonly object[] = [
  { id: 1, method: "initialize", params: { clientName: "fuzz", resumeSessionId: null } },
  { method: "initialized", params: {} },
  { id: "a", method: "environment/info", params: null, trace: { traceparent: "00-00-00-00" } },
  { id: -5, method: "environment/status" },
  { id: 2, method: "process/start", params: { processId: "p", ...CHILD, pipeStdin: true, arg0: "x" } },
  {
    id: 3,
    method: "process/start",
    params: {
      processId: "q",
      ...CHILD,
      envPolicy: {
        inherit: "core",
        ignoreDefaultExcludes: true,
        exclude: ["*"],
        set: { x: "y" },
        includeOnly: [],
      },
    },
  },
  { id: 4, method: "process/read", params: { processId: "p", afterSeq: 0, maxBytes: 1, waitMs: 5 } },
  { id: 5, method: "process/write", params: { processId: "p", chunk: "aGVsbG8=", writeId: "w" } },
  { id: 6, method: "process/signal", params: { processId: "p", signal: "interrupt" } },
  { id: 7, method: "process/terminate", params: { processId: "p" } },
  { id: 8, result: {} },
  { id: 9, error: { code: -1, message: "no" } },
];

/** Values where a reader of numbers, texts or trees may stumble. */
const ODD: readonly string[] = [
  ...[
    "null",
    "true",
    "-0",
    "0.5",
    "1e400",
    "-1e-400",
    "9223372036854775808",
    "-9223372036854775809",
    "1E2",
    "01",
  ],
  ...[
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '"\\x"',
    '"__proto__"',
    '"constructor"',
    "[]",
    "{}",
    "[[[]]]",
    "NaN",
    "",
  ],
  ...['{"__proto__":{"id":1}}', '{"a":1,"a":2}', `${"[".repeat(200)}${"]".repeat(200)}`, '"file://host/x"'],
];

const SYNTAX = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "\\",
  "\\u",
  "-",
  ".",
  "e",
  "\0",
  "\n",
  "\t",
  "/",
  "é",
  "\ud83d",
];

/** Bends a valid message: a value replaced, text cut, doubled, stirred or sprinkled. */
function bent(dice: Dice): string {
  let text = JSON.stringify(dice.of(VALID));
  for (let times = 1 + dice.number(3); times > 0; times--) {
    const at = dice.number(text.length + 1);
    const end = Math.min(text.length, at + 1 + dice.number(12));
    const ways = [
      () => text.slice(0, at),
      () => text.slice(0, at) + text.slice(end),
      () => text.slice(0, end) + text.slice(at),
      () => text.slice(0, at) + dice.of(SYNTAX) + text.slice(at),
      () => text.slice(0, at) + dice.of(ODD) + text.slice(end),
      () =>
        text.replace(/"(?:id|params|method|processId|argv|env|chunk|writeId)":/, `$&${dice.of(ODD)},"x":`),
      () =>
        text.replace(
          /:(?:\d+|"[^"]*"|null|false|\{[^{}]*\}|\[[^[\]]*\])/g,
          (value) => dice.chance(30) ? `:${dice.of(ODD)}` : value,
        ),
      () => text + dice.of([text, " ", "\n", ",", "]"]),
    ];
    text = dice.of(ways)();
  }
  return text;
}

/** JSON of no particular meaning. */
function anyJson(dice: Dice, depth = 0): string {
  if (depth > 4 || dice.chance(40)) return dice.of(ODD) || "0";
  const parts = Array.from({ length: dice.number(5) }, () => anyJson(dice, depth + 1));
  const name = () => JSON.stringify(dice.of(["id", "method", "params", "result", "error", "trace", "x", ""]));
  return dice.chance(50) ? `[${parts}]` : `{${parts.map((part) => `${name()}:${part}`)}}`;
}

/** A frame that breaks the rules of WebSocket somewhere. */
function brokenFrame(dice: Dice): Buffer {
  const frame = frameBytes({
    opcode: dice.number(16),
    fin: dice.chance(60),
    masked: dice.chance(70),
    reserved: dice.chance(30) ? dice.of([0x40, 0x20, 0x10, 0x70]) : 0,
    payload: dice.bytes(dice.number(300)),
  });
  // A length that is not the true one leaves the server waiting, or in the middle of things.
  if (dice.chance(30)) frame[1] = (frame[1] & 0x80) | dice.number(128);
  return dice.chance(20) ? frame.subarray(0, dice.number(frame.length)) : frame;
}

/** A message in pieces, some with a ping between them, some with no end or no beginning. */
function fragments(dice: Dice): Buffer {
  const payload = Buffer.from(bent(dice));
  const cut = dice.number(payload.length + 1);
  const opcode = dice.of([OPCODE.text, OPCODE.binary]);
  return Buffer.concat([
    frameBytes({ opcode, fin: dice.chance(10), payload: payload.subarray(0, cut) }),
    ...(dice.chance(50) ? [frameBytes({ opcode: OPCODE.ping, payload: "?" })] : []),
    ...(dice.chance(90) ? [frameBytes({ opcode: OPCODE.continuation, payload: payload.subarray(cut) })] : []),
  ]);
}

export function garbage(dice: Dice): Garbage {
  const opcode = dice.of([OPCODE.text, OPCODE.binary]);
  const kinds: Record<string, () => Buffer> = {
    "a bent message": () => frameBytes({ opcode, payload: bent(dice) }),
    "any JSON": () => frameBytes({ opcode, payload: anyJson(dice) }),
    "random bytes in a binary frame": () =>
      frameBytes({ opcode: OPCODE.binary, payload: dice.bytes(dice.number(2_000)) }),
    "random bytes in a text frame": () =>
      frameBytes({ opcode: OPCODE.text, payload: dice.bytes(dice.number(200)) }),
    "a broken frame": () => brokenFrame(dice),
    "fragments": () => fragments(dice),
    "random bytes": () => dice.bytes(1 + dice.number(500)),
  };
  // Most garbage should be understood as far as possible: what ends a connection at once tries little.
  const kind = dice.chance(70) ? dice.of(["a bent message", "any JSON"]) : dice.of(Object.keys(kinds));
  return { kind, bytes: kinds[kind]() };
}
