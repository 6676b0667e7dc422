import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync } from "node:fs";
import { Peer } from "../support/peer.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { filesDirectory, makePipe, refusedWith, systemRefusal, UTF8 } from "../support/peer_files.ts";
import { onEachTarget } from "./on_each_target.ts";

const MiB = 1024 * 1024;

type Block = { chunk: string; eof: boolean };

const open = (peer: Peer, handleId: string, path: string, more: object = {}) =>
  peer.call("fs/open", { handleId, path, ...more });
const read = (peer: Peer, handleId: string, offset: number, len: number) =>
  peer.call<Block>("fs/readBlock", { handleId, offset, len });
const write = (peer: Peer, handleId: string, offset: number, text: string) =>
  peer.call("fs/writeBlock", { handleId, offset, chunk: UTF8(text) });

onEachTarget(({ target, test }) => {
  test("fs 42 a handle has a name of at most 32 bytes, or none", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const tooLong = { code: -32600, message: "file handle ID must not exceed 32 bytes" };
    for (const handleId of ["€".repeat(11), "x".repeat(33)]) {
      expect(await refusedWith(peer, "fs/open", { handleId, path: here.uri("file") })).toEqual(tooLong);
      expect(await refusedWith(peer, "fs/readBlock", { handleId, offset: 0, len: 1 })).toEqual(tooLong);
      expect(await refusedWith(peer, "fs/close", { handleId })).toEqual(tooLong);
    }
    for (const handleId of ["", "€".repeat(10), "x".repeat(32)]) {
      expect(await open(peer, handleId, here.uri("file"))).toEqual({ handleId });
      expect(await read(peer, handleId, 0, 1)).toEqual({ chunk: UTF8("x"), eof: false });
    }
  });

  test("fs 43 there are 128 handles, and a closed one makes room", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (let i = 0; i < 128; i++) await open(peer, `h${i}`, here.uri("file"));
    expect(await refusedWith(peer, "fs/open", { handleId: "more", path: here.uri("file") })).toEqual({
      code: -32600,
      message: "at most 128 file handles may be open per connection",
    });
    await peer.call("fs/close", { handleId: "h7" });
    expect(await open(peer, "more", here.uri("file"))).toEqual({ handleId: "more" });
  });

  test("fs 44 a refused opening makes and empties nothing", async () => {
    using here = filesDirectory();
    here.put("file", "kept");
    await makePipe(`${here.path}/pipe`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "taken", here.uri("file"));
    const replacing = (handleId: string, name: string) => ({
      handleId,
      path: here.uri(name),
      mode: "replace",
    });
    expect(await refusedWith(peer, "fs/open", replacing("taken", "file"))).toEqual({
      code: -32600,
      message: "file handle `taken` already exists",
    });
    for (let i = 0; i < 127; i++) await open(peer, `h${i}`, here.uri("file"));
    for (const name of ["file", "made"]) {
      expect((await refusedWith(peer, "fs/open", replacing("more", name))).code).toBe(-32600);
    }
    expect(readFileSync(`${here.path}/file`, "utf8")).toBe("kept");
    expect(existsSync(`${here.path}/made`)).toBe(false);
    await peer.call("fs/close", { handleId: "h0" });
    expect(await systemRefusal(peer, "fs/open", replacing("h0", ""))).toEqual([-32603, "(os error 21)"]);
    expect(await systemRefusal(peer, "fs/open", replacing("h0", "pipe"))).toEqual([-32603, "(os error 6)"]);
    await open(peer, "h0", here.uri("file"), { mode: "replace" });
    expect(readFileSync(`${here.path}/file`, "utf8")).toBe("");
  });

  test("fs 45 the end is told by the block after it, and by a short one", async () => {
    using here = filesDirectory();
    const bytes = Buffer.alloc(MiB + 10, "abcdefg");
    here.put("file", bytes.toString());
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "h", here.uri("file"));
    const blocks = await Promise.all([
      read(peer, "h", 0, MiB),
      read(peer, "h", MiB, 10),
      read(peer, "h", MiB + 10, 10),
      read(peer, "h", MiB, 11),
    ]);
    expect(blocks.map(({ chunk, eof }) => [Buffer.from(chunk, "base64").length, eof])).toEqual([
      [MiB, false],
      [10, false],
      [0, true],
      [10, true],
    ]);
    expect(blocks[0]!.chunk).toBe(bytes.subarray(0, MiB).toString("base64"));
  });

  test("fs 46 a block of no bytes or too many is refused, and the handle stays", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "h", here.uri("file"));
    for (const [len, handleId] of [[0, "h"], [MiB + 1, "h"], [0, "unknown"]] as const) {
      expect(await refusedWith(peer, "fs/readBlock", { handleId, offset: 0, len })).toEqual({
        code: -32600,
        message: "file read block length must be between 1 and 1048576",
      });
    }
    expect(await read(peer, "h", 0, MiB)).toEqual({ chunk: UTF8("x"), eof: true });
    await open(peer, "w", here.uri("file"), { mode: "replace" });
    for (const chunk of ["", Buffer.alloc(MiB + 1).toString("base64")]) {
      expect(await refusedWith(peer, "fs/writeBlock", { handleId: "w", offset: 0, chunk })).toEqual({
        code: -32600,
        message: "file write block length must be between 1 and 1048576",
      });
    }
    expect(await refusedWith(peer, "fs/writeBlock", { handleId: "w", offset: 0, chunk: "!!" })).toEqual({
      code: -32602,
      message: "Invalid symbol 33, offset 0.",
    });
  });

  test("fs 47 a read that the system refuses ends the handle", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "w", here.uri("file"), { mode: "replace" });
    const reading = { handleId: "w", offset: 0, len: 1 };
    expect(await systemRefusal(peer, "fs/readBlock", reading)).toEqual([-32603, "(os error 9)"]);
    const unknown = { code: -32004, message: "unknown file handle `w`" };
    expect(await refusedWith(peer, "fs/readBlock", reading)).toEqual(unknown);
    expect(await refusedWith(peer, "fs/writeBlock", { handleId: "w", offset: 0, chunk: "eA==" })).toEqual(
      unknown,
    );

    await open(peer, "h", here.uri("file"));
    const beyond = peer.ask(
      "beyond",
      "fs/readBlock",
      `{"id":"beyond","method":"fs/readBlock","params":{"handleId":"h","offset":9223372036854775808,"len":1}}`,
    );
    await expect(beyond).rejects.toThrow("-32600 Invalid argument (os error 22)");
    expect((await refusedWith(peer, "fs/readBlock", { ...reading, handleId: "h" })).code).toBe(-32004);
  });

  test("fs 47 a write to a handle for reading is refused, and it stays", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "h", here.uri("file"));
    const writing = { handleId: "h", offset: 0, chunk: "eA==" };
    expect(await systemRefusal(peer, "fs/writeBlock", writing)).toEqual([-32603, "(os error 9)"]);
    expect(await read(peer, "h", 0, 1)).toEqual({ chunk: UTF8("x"), eof: false });
  });

  test("fs 48 an open file goes on when its name has gone", async () => {
    using here = filesDirectory();
    const file = here.put("file", "content");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "h", here.uri("file"));
    renameSync(file, `${here.path}/moved`);
    expect(await read(peer, "h", 3, 100)).toEqual({ chunk: UTF8("tent"), eof: true });
    rmSync(`${here.path}/moved`);
    expect(await read(peer, "h", 0, 3)).toEqual({ chunk: UTF8("con"), eof: false });
  });

  test("fs 49 an unknown handle is closed already", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await peer.call("fs/close", { handleId: "nobody" })).toEqual({});
  });

  test("fs 50 handles go with their connection, also when the session is taken up again", async () => {
    using here = filesDirectory();
    const file = here.put("file", "x");
    // A program of its own, to see which files it has open.
    await using server = await target.serve({ env: { PATH: process.env.PATH ?? "", HOME: here.path } });
    const peer = await Peer.connect(server.url);
    const { sessionId } = await peer.initialize();
    await open(peer, "h", here.uri("file"));
    const isOpen = () =>
      readdirSync(`/proc/${server.pid}/fd`).some((fd) => {
        try {
          return readlinkSync(`/proc/${server.pid}/fd/${fd}`) === file;
        } catch {
          return false; // closed between the two looks
        }
      });
    expect(isOpen()).toBe(true);
    await peer.hangUp();
    await untilTrue(() => !isOpen(), "the end of the open file");
    await using next = await Peer.connect(server.url);
    await next.initialize(sessionId);
    expect(await refusedWith(next, "fs/readBlock", { handleId: "h", offset: 0, len: 1 })).toEqual({
      code: -32004,
      message: "unknown file handle `h`",
    });
  });

  test("fs 51 blocks are written where they belong, in any order, with zeros between", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "w", here.uri("file"), { mode: "replace" });
    await Promise.all([write(peer, "w", 8, "end"), write(peer, "w", 0, "begin"), write(peer, "w", 4, "N")]);
    await peer.call("fs/close", { handleId: "w" });
    expect(readFileSync(`${here.path}/file`, "utf8")).toBe("begiN\0\0\0end");
  });

  test("fs 51 a block beyond what a file can have is refused", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await open(peer, "w", here.uri("file"), { mode: "replace" });
    const at = (offset: string) =>
      peer.ask(
        offset,
        "fs/writeBlock",
        `{"id":"${offset}","method":"fs/writeBlock","params":{"handleId":"w","offset":${offset},"chunk":"eHl6"}}`,
      );
    for (const offset of ["9223372036854775807", "18446744073709551615"]) {
      await expect(at(offset)).rejects.toThrow(
        "-32600 file write range exceeds the signed 64-bit file offset limit",
      );
    }
    await expect(at("4611686018427387904")).rejects.toThrow("-32603 File too large (os error 27)");
    await write(peer, "w", 0, "still open");
  });
});
