import { readFileSync } from "node:fs";
import { type Case, must } from "../case.ts";
import type { Scene } from "../scene.ts";
import { base64Bytes } from "../wire.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** One file after the other, each in one message; a small one counts as a call, a large one as its bytes. */
function whole(name: string, about: string, size: number, times: number, direction: "read" | "write"): Case {
  const file = `whole-${size}`;
  const measured = size < MIB
    ? { unit: "per s" as const, amount: times }
    : { unit: "MB/s" as const, amount: times * size / 1e6 };
  const work = direction === "read" ? readAll : writeAll;
  return {
    name,
    about,
    unit: measured.unit,
    betterIs: "more",
    prepare: (scene) => scene.file(file, size),
    async once(wire, scene) {
      const one = work(scene, file, size);
      const begun = performance.now();
      for (let i = 0; i < times; i++) await one(wire);
      return measured.amount / ((performance.now() - begun) / 1000);
    },
  };
}

type Work = (
  scene: Scene,
  file: string,
  size: number,
) => (wire: Parameters<Case["once"]>[0]) => Promise<void>;

const readAll: Work = (scene, file, size) => {
  const params = JSON.stringify({ path: scene.uri(file) });
  return async (wire) => {
    const got = base64Bytes(await wire.askRaw("fs/readFile", params), "dataBase64");
    must(got === size, `${got} bytes came instead of ${size}`);
  };
};

/** Over the same file again and again, as an editor does. */
const writeAll: Work = (scene, file) => {
  const dataBase64 = readFileSync(scene.path(file)).toBase64();
  const params = JSON.stringify({ path: scene.uri(scene.newName("written")), dataBase64 });
  return async (wire) => {
    await wire.askRaw("fs/writeFile", params);
  };
};

export const wholeFiles: Case[] = [
  whole("fs.read1k", "fs/readFile of 1 KiB, one after the other", KIB, 4_000, "read"),
  whole("fs.write1k", "fs/writeFile of 1 KiB, one after the other", KIB, 2_000, "write"),
  whole("fs.read8m", "fs/readFile of 8 MiB, one after the other", 8 * MIB, 12, "read"),
  whole("fs.write8m", "fs/writeFile of 8 MiB, one after the other", 8 * MIB, 6, "write"),
];
