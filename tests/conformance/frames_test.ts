import { expect } from "bun:test";
import { resume } from "../support/peer_resume.ts";
import { type Frame, OPCODE, type OutgoingFrame } from "../support/raw_frame.ts";
import { messageOf, RawSocket } from "../support/raw_socket.ts";
import { onEachTarget } from "./on_each_target.ts";

const MIB = 1024 * 1024;
const isPong = (frame: Frame) => frame.opcode === OPCODE.pong;

/** A request of exactly `size` bytes, most of them in a member nobody reads. */
function requestOf(size: number, id: number): Buffer {
  const head = `{"id":${id},"method":"environment/status","ignored":"`;
  const bytes = Buffer.alloc(size, "a");
  bytes.write(head, 0);
  bytes.write('"}', size - 2);
  return bytes;
}

function sendInFrames(raw: RawSocket, payload: Buffer, frameSize: number): void {
  for (let start = 0; start < payload.length; start += frameSize) {
    raw.sendFrame({
      opcode: start === 0 ? OPCODE.text : OPCODE.continuation,
      payload: payload.subarray(start, start + frameSize),
      fin: start + frameSize >= payload.length,
    });
  }
}

onEachTarget(({ target, test }) => {
  test("10 a request in a binary frame is answered in a text frame", async () => {
    await using server = await target.serve();
    await using raw = await RawSocket.ready(server.url);
    raw.sendFrame({ opcode: OPCODE.binary, payload: '{"id":1,"method":"environment/status"}' });
    expect(await raw.answerTo(1)).toEqual({ id: 1, result: { status: "ready" } });
    expect(raw.frames.every((frame) => frame.opcode === OPCODE.text && frame.fin && !frame.masked)).toBe(
      true,
    );
    expect(raw.frames.every((frame) => frame.reserved === 0)).toBe(true);
  });

  test("10 invalid UTF-8 in a binary frame is a malformed message, and the connection stays", async () => {
    await using server = await target.serve();
    await using raw = await RawSocket.ready(server.url);
    raw.sendFrame({ opcode: OPCODE.binary, payload: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) });
    expect((await raw.answerTo(-1)).error?.code).toBe(-32600);
    raw.sendText({ id: 1, method: "environment/status" });
    expect((await raw.answerTo(1)).result).toEqual({ status: "ready" });
  });

  test("11 a fragmented message is put together, and a ping between its fragments answered", async () => {
    await using server = await target.serve();
    await using raw = await RawSocket.ready(server.url);
    const text = '{"id":1,"method":"environment/status","ignored":"é"}';
    const bytes = Buffer.from(text);
    // The cut falls into the two bytes of é, and one fragment is empty.
    const cut = bytes.indexOf(0xc3) + 1;
    raw.sendFrame({ opcode: OPCODE.text, payload: bytes.subarray(0, 5), fin: false });
    raw.sendFrame({ opcode: OPCODE.ping, payload: "between" });
    raw.sendFrame({ opcode: OPCODE.continuation, payload: bytes.subarray(5, cut), fin: false });
    const pong = await raw.waitForFrame(isPong, "the pong");
    expect(pong.payload.toString()).toBe("between");
    expect(raw.frames.some((frame) => frame.opcode === OPCODE.text && messageOf(frame).id === 1)).toBe(false);
    raw.sendFrame({ opcode: OPCODE.continuation, fin: false });
    raw.sendFrame({ opcode: OPCODE.pong, payload: "unasked" });
    raw.sendFrame({ opcode: OPCODE.continuation, payload: bytes.subarray(cut) });
    expect(await raw.answerTo(1)).toEqual({ id: 1, result: { status: "ready" } });
    raw.sendFrame({ opcode: OPCODE.ping, payload: Buffer.alloc(125, "p") });
    await raw.waitForFrame(
      (frame) => isPong(frame) && frame.payload.equals(Buffer.alloc(125, "p")),
      "a long pong",
    );
  });

  const violations: [string, OutgoingFrame][] = [
    ["invalid UTF-8 in a text frame", { opcode: OPCODE.text, payload: Buffer.from([0x22, 0xff, 0x22]) }],
    ["a frame without a mask", { opcode: OPCODE.text, payload: '{"id":9,"method":"m"}', masked: false }],
    ["a reserved bit", { opcode: OPCODE.text, payload: '{"id":9,"method":"m"}', reserved: 0x20 }],
    ["the bit of a compression nobody agreed on", { opcode: OPCODE.text, payload: "{}", reserved: 0x40 }],
    ["a reserved data opcode", { opcode: 3, payload: "{}" }],
    ["a reserved control opcode", { opcode: 11, payload: "{}" }],
    ["a control frame above 125 bytes", { opcode: OPCODE.ping, payload: Buffer.alloc(126) }],
    ["a control frame in fragments", { opcode: OPCODE.ping, payload: "x", fin: false }],
    ["a continuation of nothing", { opcode: OPCODE.continuation, payload: "{}" }],
    ["a Close frame", { opcode: OPCODE.close, payload: Buffer.from([0x03, 0xe8]) }],
  ];
  for (const [name, frame] of violations) {
    test(`11 the connection ends after ${name}, without an answer, and the session is let go`, async () => {
      await using server = await target.serve();
      await using raw = await RawSocket.ready(server.url);
      const { sessionId } = (await raw.answerTo("initialize")).result as { sessionId: string };
      const before = raw.frames.length;
      raw.sendFrame(frame);
      await raw.mustEnd(name);
      const answers = raw.frames.slice(before).filter(({ opcode }) => opcode !== OPCODE.close);
      expect(answers).toEqual([]);
      await using next = await resume(server.url, sessionId);
      expect(await next.call("environment/status")).toEqual({ status: "ready" });
    });
  }

  test("12 a frame of 16 MiB and a message of 64 MiB are taken, and one byte more is not", async () => {
    await using server = await target.serve();
    await using raw = await RawSocket.ready(server.url);
    raw.sendFrame({ opcode: OPCODE.text, payload: requestOf(16 * MIB, 1) });
    expect(await raw.answerTo(1)).toEqual({ id: 1, result: { status: "ready" } });
    sendInFrames(raw, requestOf(64 * MIB, 2), 16 * MIB);
    expect(await raw.answerTo(2)).toEqual({ id: 2, result: { status: "ready" } });
    sendInFrames(raw, requestOf(64 * MIB + 1, 3), 16 * MIB);
    await raw.mustEnd("a message above 64 MiB");
    expect(raw.frames.some((frame) => frame.opcode === OPCODE.text && messageOf(frame).id === 3)).toBe(false);
  });

  test("12 a single frame above 16 MiB is either answered or ends the connection", async () => {
    await using server = await target.serve();
    await using raw = await RawSocket.ready(server.url);
    raw.sendFrame({ opcode: OPCODE.text, payload: requestOf(16 * MIB + 1, 1) });
    const taken = await Promise.race([
      raw.answerTo(1).then(({ result }) => result),
      raw.mustEnd("a frame above 16 MiB").then(() => "ended"),
    ]);
    if (target.name === "real") expect(taken).toBe("ended");
    else if (taken !== "ended") expect(taken).toEqual({ status: "ready" });
  });
});
