import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { type Frame, OPCODE } from "../support/raw_frame.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { onEachTarget } from "./on_each_target.ts";

const isPing = (frame: Frame) => frame.opcode === OPCODE.ping;

onEachTarget(({ target, test, timed }) => {
  timed("13 an idle connection gets a ping within 31 s", async () => {
    await using server = await target.serve({ movableTime: true });
    await using raw = await RawSocket.ready(server.url);
    await server.settle();
    await server.advance(31_000);
    expect((await raw.waitForFrame(isPing, "a ping")).payload.length).toBeLessThanOrEqual(125);
  });

  timed("14 ten minutes of silence do not end a connection that answers pings", async () => {
    await using server = await target.serve({ movableTime: true });
    await using raw = await RawSocket.ready(server.url);
    let answered = 0;
    for (let passed = 0; passed < 600_000; passed += 5_000) {
      await server.advance(5_000);
      for (const ping of raw.frames.filter(isPing).slice(answered)) {
        raw.sendFrame({ opcode: OPCODE.pong, payload: ping.payload });
        answered++;
      }
      await server.settle();
    }
    expect(raw.isEnded).toBe(false);
    expect(answered).toBeGreaterThanOrEqual(600 / 31 - 1);
    raw.sendText({ id: 1, method: "environment/status" });
    expect((await raw.answerTo(1)).result).toEqual({ status: "ready" });
  });

  test("15 small messages do not wait for each other: start to closed of /bin/true takes less than 25 ms", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const times: number[] = [];
    for (let round = 0; round < 21; round++) {
      const begun = performance.now();
      await peer.run({ argv: ["/bin/true"] });
      times.push(performance.now() - begun);
    }
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(25);
  });
});
