import { rmSync } from "node:fs";
import { join } from "@std/path";
import { tmpdir } from "node:os";
import { expect, test } from "bun:test";
import { within } from "../support/peer_deadline.ts";
import { spawnOurs } from "./spawned_server.ts";
import { peakMiB, residentMiB } from "./system_facts.ts";

const MIB = 1024 * 1024;
/** Without counting what passes, the garbage of so many comes to more than the limit. */
const BLOCKS = 768;
const UNDER_WAY = 8;
/** What is under way, and the garbage between two collections that take all of it. */
const GROWTH_MIB = 110;

test("a large upload costs little memory, whatever its size", async () => {
  await using server = await spawnOurs();
  const path = join(tmpdir(), `exec-server-upload-${crypto.randomUUID()}`);
  const socket = new WebSocket(server.url);
  const answers = new Map<number, (text: string) => void>();
  socket.onmessage = ({ data }) => {
    const id = Number(/"id":(\d+)/.exec(String(data))?.[1]);
    answers.get(id)?.(String(data));
    answers.delete(id);
  };
  let last = 0;
  const ask = async (method: string, params: string) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    answers.set(++last, resolve);
    socket.send(`{"id":${last},"method":"${method}","params":${params}}`);
    const answer = await within(promise, method);
    if (answer.includes('"error"')) throw new Error(answer);
  };
  try {
    await within(new Promise((resolve) => (socket.onopen = resolve)), "a connection");
    await ask("initialize", '{"clientName":"tests"}');
    socket.send('{"method":"initialized"}');
    await ask("fs/open", `{"handleId":"h","path":"file://${path}","mode":"replace"}`);
    const before = residentMiB(server.pid);
    const chunk = Buffer.alloc(MIB, "some block ").toString("base64");
    let next = 0;
    const lane = async () => {
      // Over and over to the same place: it is not the disk that is asked.
      while (next++ < BLOCKS) await ask("fs/writeBlock", `{"handleId":"h","offset":0,"chunk":"${chunk}"}`);
    };
    await Promise.all(Array.from({ length: UNDER_WAY }, lane));
    expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);
  } finally {
    socket.terminate();
    rmSync(path, { force: true });
  }
}, 60_000);
