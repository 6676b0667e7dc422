import { readFileSync, rmSync, statSync } from "node:fs";
import { type Case, must } from "../case.ts";
import { base64Bytes, type Wire } from "../wire.ts";

const BLOCK = 1024 * 1024;
const BLOCKS = 256;
const PIPELINED = 8;
const BYTES = BLOCK * BLOCKS;

/** Runs all, at most eight at a time, in their order. */
async function pipelined(one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < BLOCKS) await one(next++);
  };
  await Promise.all(Array.from({ length: PIPELINED }, lane));
}

async function rateOf(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return BYTES / 1e6 / ((performance.now() - begun) / 1000);
}

export const blocks: Case[] = [{
  name: "fs.down",
  about: "256 MiB by fs/readBlock of 1 MiB, eight under way",
  unit: "MB/s",
  betterIs: "more",
  prepare: (scene) => scene.file("big", BYTES),
  async once(wire, scene) {
    let received = 0;
    const rate = await rateOf(async () => {
      await open(wire, scene.uri("big"), "read");
      await pipelined(async (index) => {
        const answer = await wire.ask("fs/readBlock", { handleId: "h", offset: index * BLOCK, len: BLOCK });
        received += base64Bytes(answer, "chunk");
      });
      await wire.ask("fs/close", { handleId: "h" });
    });
    must(received === BYTES, `${received} bytes came instead of ${BYTES}`);
    return rate;
  },
}, {
  name: "fs.up",
  about: "256 MiB by fs/writeBlock of 1 MiB, eight under way",
  unit: "MB/s",
  betterIs: "more",
  prepare: (scene) => scene.file("block", BLOCK),
  async once(wire, scene) {
    const name = scene.newName("uploaded");
    const chunk = readFileSync(scene.path("block")).toBase64();
    const rate = await rateOf(async () => {
      await open(wire, scene.uri(name), "replace");
      await pipelined(async (index) => {
        const params = `{"handleId":"h","offset":${index * BLOCK},"chunk":"${chunk}"}`;
        await wire.askRaw("fs/writeBlock", params);
      });
      await wire.ask("fs/close", { handleId: "h" });
    });
    const { size } = statSync(scene.path(name));
    must(size === BYTES, `${size} bytes arrived instead of ${BYTES}`);
    rmSync(scene.path(name));
    return rate;
  },
}];

async function open(wire: Wire, path: string, mode: "read" | "replace"): Promise<void> {
  await wire.ask("fs/open", { handleId: "h", path, mode });
}
