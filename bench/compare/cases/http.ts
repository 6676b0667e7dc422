import { type Case, must } from "../case.ts";
import { median } from "../statistics.ts";
import { base64Bytes } from "../wire.ts";

const SMALL = { bytes: 1024, times: 200 };
const STREAMED = 64 * 1024 * 1024;

let asked = 0;

function get(origin: string, bytes: number, streamResponse: boolean) {
  return { method: "GET", url: `${origin}${bytes}`, requestId: `r${++asked}`, streamResponse };
}

export const http: Case[] = [{
  name: "http.small",
  about: "http/request of 1 KiB from loopback, whole",
  unit: "µs",
  betterIs: "less",
  async prepare(scene) {
    await scene.origin();
  },
  async once(wire, scene) {
    const origin = await scene.origin();
    const took: number[] = [];
    for (let i = 0; i < SMALL.times; i++) {
      const begun = performance.now();
      const answer = await wire.ask("http/request", get(origin, SMALL.bytes, false));
      took.push((performance.now() - begun) * 1000);
      const got = base64Bytes(answer, "bodyBase64");
      must(got === SMALL.bytes, `${got} bytes came instead of ${SMALL.bytes}`);
    }
    return median(took);
  },
}, {
  name: "http.stream",
  about: "http/request of 64 MiB from loopback, streamed",
  unit: "MB/s",
  betterIs: "more",
  async prepare(scene) {
    await scene.origin();
  },
  async once(wire, scene) {
    const request = get(await scene.origin(), STREAMED, true);
    const done = Promise.withResolvers<void>();
    let received = 0;
    wire.onNotice = ({ method, text }) => {
      if (method !== "http/request/bodyDelta") return;
      received += base64Bytes(text, "deltaBase64");
      if (/"done":true/.test(text.slice(0, 256) + text.slice(-64))) done.resolve();
    };
    const begun = performance.now();
    await wire.ask("http/request", request);
    await wire.within(done.promise, "The end of a body");
    const seconds = (performance.now() - begun) / 1000;
    must(received === STREAMED, `${received} bytes came instead of ${STREAMED}`);
    return STREAMED / 1e6 / seconds;
  },
}];
