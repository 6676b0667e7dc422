import { describe, expect, test } from "bun:test";
import { Keepalive } from "../../lib/rpc/keepalive.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ManualTransport } from "../support/manual_transport.ts";

function watched() {
  const [clock, transport] = [new ManualClock(), new ManualTransport()];
  const peer = { isPaused: false };
  const keepalive = new Keepalive(transport, clock, () => peer.isPaused);
  transport.receive({ message() {}, heard() {}, drained() {}, ended: () => keepalive.stop() });
  return { clock, transport, keepalive, peer };
}

describe("Keepalive", () => {
  test("a server that slept does not blame its peer: what was said meanwhile is still to be read", () => {
    let [now, tick] = [0, () => {}];
    const clock = {
      now: () => now,
      after: (_: number, action: () => void) => {
        tick = action;
        return { cancel() {} };
      },
    };
    const transport = new ManualTransport();
    new Keepalive(transport, clock, () => false);
    now = 64_000; // frozen for so long, and then its timer runs first of all
    tick();
    expect([transport.hasEnded, transport.pings]).toEqual([false, 1]);
    for (let quarter = 1; quarter <= 4; quarter++) {
      now += 15_000;
      tick();
    }
    expect(transport.hasEnded).toBe(true);
  });

  test("pings every 15 s", async () => {
    const { clock, transport, keepalive } = watched();
    for (let n = 1; n <= 100; n++) {
      await clock.advance(15_000);
      keepalive.heard();
      expect(transport.pings).toBe(n);
    }
    expect(transport.hasEnded).toBe(false);
  });

  test("a peer that is silent for 60 s and takes nothing is gone, and then nothing is left to wait for", async () => {
    const { clock, transport } = watched();
    transport.unsentBytes = 500;
    await clock.advance(59_999);
    expect(transport.hasEnded).toBe(false);
    await clock.advance(1);
    expect([transport.hasEnded, clock.pending]).toEqual([true, 0]);
  });

  test("taking what we send is a sign of life", async () => {
    const { clock, transport } = watched();
    transport.unsentBytes = 1_000_000;
    for (let n = 0; n < 20; n++) {
      await clock.advance(30_000);
      transport.unsentBytes -= 1;
    }
    expect(transport.hasEnded).toBe(false);
  });

  test("a holder that is challenged has 5 s to show itself", async () => {
    const { clock, transport, keepalive } = watched();
    keepalive.challenge();
    expect(transport.pings).toBe(1);
    await clock.advance(4_999);
    keepalive.challenge(); // asking again neither shortens nor prolongs it
    expect([transport.hasEnded, transport.pings]).toEqual([false, 1]);
    await clock.advance(1);
    expect([transport.hasEnded, clock.pending]).toEqual([true, 0]);
  });

  test("a holder that answers a challenge stays, and can be challenged again", async () => {
    const { clock, transport, keepalive } = watched();
    keepalive.challenge();
    await clock.advance(4_999);
    keepalive.heard();
    await clock.advance(5_000);
    expect(transport.hasEnded).toBe(false);
    keepalive.challenge();
    await clock.advance(5_000);
    expect(transport.hasEnded).toBe(true);
  });

  test("while we do not read we cannot hear, and a peer that owes us nothing is left in peace", async () => {
    const { clock, transport, peer } = watched();
    peer.isPaused = true;
    await clock.advance(600_000);
    expect(transport.hasEnded).toBe(false);
    peer.isPaused = false;
    await clock.advance(60_000);
    expect(transport.hasEnded).toBe(true);
  });

  test("once stopped it does nothing more", async () => {
    const { clock, transport, keepalive } = watched();
    keepalive.challenge();
    keepalive.stop();
    await clock.advance(100_000);
    expect([transport.hasEnded, transport.pings, clock.pending]).toEqual([false, 1, 0]);
  });
});
