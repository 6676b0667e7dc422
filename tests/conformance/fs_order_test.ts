import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { Peer } from "../support/peer.ts";
import { filesDirectory, readText, UTF8, walk } from "../support/peer_files.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  test("fs 51 calls that are not waited for come out as if they had been", async () => {
    using here = filesDirectory();
    const large = Buffer.alloc(2 * 1024 * 1024, "large!");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const path = here.uri("directory/file");
    const [, , , before, , after, copied, , gone] = await Promise.all([
      peer.call("fs/createDirectory", { path: here.uri("directory") }),
      peer.call("fs/writeFile", { path, dataBase64: large.toString("base64") }),
      peer.call("fs/copy", { sourcePath: path, destinationPath: here.uri("copy"), recursive: false }),
      peer.call<{ dataBase64: string }>("fs/readFile", { path }),
      peer.call("fs/writeFile", { path, dataBase64: UTF8("small") }),
      readText(peer, path),
      peer.call<{ size: number }>("fs/getMetadata", { path: here.uri("copy") }),
      peer.call("fs/remove", { path: here.uri("directory") }),
      walk(peer, here.uri()),
    ]);
    expect(Buffer.from(before.dataBase64, "base64").equals(large)).toBe(true);
    expect(after).toBe("small");
    expect(copied.size).toBe(large.length);
    expect(gone.entries).toEqual([{ path: here.uri("copy"), kind: "file" }]);
  });

  test("fs 51 a file sent in blocks that nobody waited for is whole when its handle is closed", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const blocks = Array.from({ length: 12 }, (_, i) => Buffer.alloc(700_000, `${i},`));
    const handleId = "h";
    const calls = [peer.call("fs/open", { handleId, path: here.uri("file"), mode: "replace" })];
    for (const [i, block] of blocks.entries()) {
      const chunk = block.toString("base64");
      calls.push(peer.call("fs/writeBlock", { handleId, offset: i * 700_000, chunk }));
    }
    calls.push(peer.call("fs/close", { handleId }));
    await Promise.all(calls);
    expect(readFileSync(`${here.path}/file`).equals(Buffer.concat(blocks))).toBe(true);
    const answers = peer.messages.filter(({ id, result }) => result !== undefined && Number(id) > 1);
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 14 }, (_, i) => i + 2));
  });
});
