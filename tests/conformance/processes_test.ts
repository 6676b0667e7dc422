import { describe, expect, test } from "bun:test";
import { EXTENSIONS } from "../../lib/wire/extensions.ts";
import type { LogsResult, ToldProcess } from "../../lib/wire/processes_v1_messages.ts";
import { extended } from "../support/extended_peer.ts";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { isAlive, scratchDirectory } from "../support/peer_system.ts";
import { jwt } from "../support/peer_token.ts";
import { oursTarget } from "../support/target_ours.ts";

// `processes.v1`: processes that outlive the session that started them, and how others find them.

const serve = (options: { movableTime?: boolean } = {}) => oursTarget().serve(options);

async function keptShell(peer: Peer, script: string, more: object = {}): Promise<string> {
  return await peer.shell(script, { name: "job", ...more } as object);
}

const list = async (peer: Peer, params: object = {}) =>
  (await peer.call<{ processes: ToldProcess[] }>("process/list", params)).processes;

const logs = (peer: Peer, params: object) => peer.call<LogsResult>("process/logs", params);

const textIn = ({ chunks }: Pick<LogsResult, "chunks">) =>
  Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk, "base64"))).toString();

describe("a kept process", () => {
  test("outlives its session, and another finds, reads and follows it to its end", async () => {
    await using server = await serve({ movableTime: true });
    const first = (await extended(server.url)).peer;
    const id = await keptShell(first, "echo one; read word; echo $word; exit 3", { pipeStdin: true });
    await first.outputWith(id, "one");
    await first.hangUp();
    await server.settle();
    await server.advance(80_000); // the session is gone
    const { peer } = await extended(server.url);
    await using _ = peer;
    expect(await list(peer)).toMatchObject([{ processId: id, name: "job", state: "running", readers: 0 }]);
    const { writer, afterSeq } = await peer.call<{ writer: boolean; afterSeq: number }>("process/attach", {
      name: "job",
      write: true,
    });
    expect([writer, afterSeq]).toEqual([true, 0]);
    await peer.call("process/write", { processId: id, chunk: btoa("two\n"), writeId: "1" });
    const { exitCode, stdout } = await peer.outcome(id);
    expect([exitCode, stdout]).toEqual([3, "one\ntwo\n"]);
  });

  test("ends with its server only, and one that is not kept ends with its session", async () => {
    await using server = await serve({ movableTime: true });
    const { peer } = await extended(server.url);
    const kept = await keptShell(peer, "echo $$; exec sleep 600");
    const other = await peer.shell("echo $$; exec sleep 600");
    await peer.outputWith(kept, "\n");
    await peer.outputWith(other, "\n");
    const [keptPid, otherPid] = [Number(peer.output(kept)), Number(peer.output(other))];
    await peer.hangUp();
    await server.settle();
    await server.advance(80_000);
    await untilTrue(() => !isAlive(otherPid), "the end of what is not kept");
    expect(isAlive(keptPid)).toBe(true);
    await server[Symbol.asyncDispose]();
    await untilTrue(() => !isAlive(keptPid), "the end of all");
  });

  test("is forgotten so long after its end as was asked, and not before", async () => {
    await using server = await serve({ movableTime: true });
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await keptShell(peer, "echo $(( 6 * 7 ))", { keepMs: 200_000 });
    await peer.outcome(id);
    await server.advance(199_000);
    expect(await list(peer)).toMatchObject([{ processId: id, state: "closed", expiresInMs: 1_000 }]);
    expect(textIn(await logs(peer, { processId: id }))).toBe("42\n");
    await server.advance(1_000);
    expect(await list(peer)).toEqual([]);
    expect(await refusal(logs(peer, { processId: id }))).toEqual({
      code: -32600,
      message: `no kept process ${id}`,
    });
  });

  test("tells no word of its command but the first", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    await keptShell(peer, "echo secret; exec sleep 600", { env: { KEY: "secret" }, labels: { of: "me" } });
    const [told] = await list(peer);
    expect(JSON.stringify(told)).not.toContain("secret");
    expect(told).toMatchObject({ program: expect.stringContaining("sh"), labels: { of: "me" } });
    expect(await list(peer, { labels: { of: "you" } })).toEqual([]);
  });

  test("is seen by nobody who did not agree on it, and what is not kept by nobody else", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const kept = await keptShell(peer, "exec sleep 600");
    await peer.shell("exec sleep 600");
    expect(await list(peer)).toHaveLength(1);
    for (const extensions of [[], EXTENSIONS.filter((name) => name !== "processes.v1")]) {
      const plain = await extended(server.url, extensions);
      await using _plain = plain.peer;
      for (const method of ["list", "attach", "detach", "wait", "logs"]) {
        expect((await refusal(plain.peer.call(`process/${method}`, {}))).code).toBe(-32601);
      }
      expect((await refusal(plain.peer.read(kept, {}))).message).toBe(`unknown process id ${kept}`);
      expect(await plain.peer.call<object>("process/terminate", { processId: kept })).toMatchObject({
        running: false,
      });
      // Its names are its own, and its members mean nothing.
      await plain.peer.shell("exit 0", { processId: kept, name: 5 } as object);
      expect((await plain.peer.outcome(kept)).exitCode).toBe(0);
    }
    expect(await list(peer)).toMatchObject([{ state: "running" }]);
  });

  test("is seen only by those who name the same owner token", async () => {
    await using server = await serve();
    const owned = async (ownerToken: string | null) => {
      const peer = await Peer.connect(server.url);
      await peer.call("initialize", { clientName: "owner", extensions: EXTENSIONS, ownerToken });
      peer.notify("initialized", {});
      return peer;
    };
    await using mine = await owned("a");
    await using same = await owned("a");
    await using other = await owned("b");
    await using none = await owned(null);
    const id = await keptShell(mine, "exec sleep 600");
    expect((await list(same)).map(({ processId }) => processId)).toEqual([id]);
    expect([await list(other), await list(none)]).toEqual([[], []]);
    expect((await refusal(other.call("process/attach", { name: "job" }))).code).toBe(-32600);
    await keptShell(none, "exec sleep 600", { processId: id }); // another's name and id are free
    await using bad = await Peer.connect(server.url);
    const named = { clientName: "bad", extensions: EXTENSIONS, ownerToken: 5 };
    expect((await refusal(bad.call("initialize", named))).code).toBe(-32602);
  });
});

describe("bearers of signed tokens", () => {
  const SECRET = "0123456789abcdef0123456789abcdef";

  test("see what those started whose tokens name the same, and nothing of others", async () => {
    using directory = scratchDirectory();
    await Bun.write(`${directory.path}/secret`, SECRET);
    const flags = ["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", `${directory.path}/secret`];
    await using server = await oursTarget().serve({ flags });
    const as = async (claims: object) => {
      const token = jwt({ exp: Math.floor(Date.now() / 1000) + 600, ...claims }, SECRET);
      const peer = await Peer.connect(server.url, { Authorization: `Bearer ${token}` });
      await peer.call("initialize", { clientName: "bearer", extensions: EXTENSIONS });
      peer.notify("initialized", {});
      return peer;
    };
    await using ann = await as({ sub: "ann" });
    await using annAgain = await as({ sub: "ann", nbf: 1 });
    await using bob = await as({ sub: "bob" });
    await using other = await as({ sub: "ann", iss: "elsewhere" });
    await using nobody = await as({});
    const id = await keptShell(ann, "exec sleep 600");
    expect((await list(annAgain)).map(({ processId }) => processId)).toEqual([id]);
    for (const stranger of [bob, other, nobody]) {
      expect(await list(stranger)).toEqual([]);
      const named = { processId: id };
      expect(await stranger.call<object>("process/terminate", named)).toMatchObject({ running: false });
      expect((await refusal(stranger.call("process/attach", named))).code).toBe(-32600);
      expect((await refusal(stranger.read(id, {}))).code).toBe(-32600);
    }
    expect(await list(ann)).toMatchObject([{ state: "running" }]);
  });
});

describe("a name", () => {
  test("is of one that runs, and passes to the next once that has ended", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const first = await keptShell(peer, "read word", { pipeStdin: true });
    const params = peer.startParams({ argv: ["/bin/true"] });
    expect(await refusal(peer.call("process/start", { ...params, name: "job" }))).toEqual({
      code: -32600,
      message: `the name job is taken by ${first}, which has not ended`,
    });
    await peer.call("process/closeStdin", { processId: first, writeId: "1" });
    await peer.outcome(first);
    const second = await keptShell(peer, "exec sleep 600");
    const { process } = await peer.call<{ process: ToldProcess }>("process/wait", { name: "job" });
    expect(process.processId).toBe(second);
    expect((await list(peer)).map(({ processId }) => processId)).toEqual([first, second]);
  });

  test.each([
    [{ name: "" }],
    [{ name: "-x" }],
    [{ name: "a b" }],
    [{ name: "x".repeat(65) }],
    [{ name: 5 }],
    [{ keepMs: 0 }],
    [{ keepMs: 31 * 86_400_000 }],
    [{ labels: { a: "b" } }],
    [{ name: "x", labels: { "": "b" } }],
    [{ name: "x", labels: { a: 1 } }],
    [{ name: "x", labels: { a: "x".repeat(257) } }],
    [{ name: "x", labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`l${n}`, ""])) }],
  ])("or mark that is none is refused: %j", async (wrong) => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const params = { ...peer.startParams({ argv: ["/bin/true"] }), ...wrong };
    expect((await refusal(peer.call("process/start", params))).code).toBe(-32602);
    expect(await list(peer)).toEqual([]);
  });
});

describe("readers", () => {
  test("follow it at the same time, each from where it wants, and one of them writes", async () => {
    await using server = await serve();
    const [{ peer: one }, { peer: two }] = [await extended(server.url), await extended(server.url)];
    await using _one = one;
    await using _two = two;
    const script = "echo up; while read word; do echo got $word; done";
    const id = await keptShell(one, script, { pipeStdin: true });
    await one.outputWith(id, "up");
    await two.call("process/attach", { processId: id, afterSeq: 1 });
    const write = (peer: Peer, word: string) =>
      peer.call("process/write", { processId: id, chunk: btoa(`${word}\n`), writeId: "same" });
    await write(one, "first");
    await two.outputWith(id, "got first");
    expect(two.output(id)).toBe("got first\n");
    expect(await refusal(write(two, "second"))).toEqual({
      code: -32600,
      message: `another client writes to process ${id}`,
    });
    await two.call("process/attach", { processId: id, afterSeq: 1, write: true });
    await write(two, "third"); // the same write id is another writer's
    await one.outputWith(id, "got third");
    expect((await refusal(write(one, "fourth"))).code).toBe(-32600);
    await two.call("process/detach", { processId: id });
    expect((await refusal(write(one, "fifth"))).message).toBe(`process ${id} is not attached for writing`);
    await one.call("process/terminate", { processId: id });
    await one.outcome(id);
    expect(one.output(id)).toBe("up\ngot first\ngot third\n");
    expect(two.output(id)).not.toContain("fourth");
  });

  test("who stop reading hold nobody but for the one who writes", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    const lazy = (await extended(server.url)).peer;
    await using _ = peer;
    await using _lazy = lazy;
    const id = await keptShell(peer, "head -c 20000000 /dev/zero; echo; echo over");
    await lazy.call("process/attach", { processId: id }); // acknowledges nothing
    await untilTrue(() => {
      const last = peer.messages.findLast(({ method }) => method === "process/output");
      if (last !== undefined) {
        peer.notify("process/ack", { processId: id, seq: last.params!["seq"] as number });
      }
      return peer.messages.some(({ method }) => method === "process/closed");
    }, "its end");
  });

  test("of a resumed session go on where they were", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await keptShell(peer, "echo up; read word; echo $word", { pipeStdin: true });
    const reader = await extended(server.url);
    await reader.peer.call("process/attach", { processId: id });
    await reader.peer.outputWith(id, "up");
    await reader.peer.hangUp();
    await server.settle();
    const again = await extended(server.url, EXTENSIONS, reader.result["sessionId"] as string);
    await using _again = again.peer;
    await peer.call("process/write", { processId: id, chunk: btoa("down\n"), writeId: "1" });
    await again.peer.outputWith(id, "down");
    expect(again.peer.output(id)).toBe("down\n");
  });
});

describe("wait", () => {
  test("answers at the exit, or when its time is up", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await keptShell(peer, "read word; exit 9", { pipeStdin: true });
    const wait = (waitMs: number) =>
      peer.call<{ process: ToldProcess }>("process/wait", { processId: id, waitMs });
    expect((await wait(1)).process).toMatchObject({ state: "running", exitCode: null });
    const end = wait(30_000);
    await peer.call("process/closeStdin", { processId: id, writeId: "1" });
    expect((await end).process).toMatchObject({ exitCode: 9, outcome: { kind: "exited", code: 9 } });
    expect((await refusal(peer.call("process/wait", {}))).code).toBe(-32602);
    expect((await refusal(peer.call("process/wait", { processId: id, name: "job" }))).code).toBe(-32602);
  });
});

describe("logs", () => {
  const script = "for i in $(seq 1 2000); do echo line $i; echo err $i >&2; done; printf last";

  test("are the first lines, the last, those of a stream, and those in which a pattern is found", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await keptShell(peer, script);
    await peer.outcome(id);
    const found = async (params: object) => textIn(await logs(peer, { processId: id, ...params }));
    expect(await found({ stream: "stdout", head: 2 })).toBe("line 1\nline 2\n");
    expect(await found({ stream: "stdout", tail: 3 })).toBe("line 1999\nline 2000\nlast");
    expect(await found({ stream: "stderr", tail: 1 })).toBe("err 2000\n");
    expect(await found({ grep: "^line 1?99$" })).toBe("line 99\nline 199\n");
    expect(await found({ grep: "(?i)ERR 20{3}$" })).toBe("err 2000\n");
    expect(await found({ grep: "line", tail: 2 })).toBe("line 1999\nline 2000\n");
    expect(await found({ grep: "nowhere" })).toBe("");
    expect((await found({ stream: "stderr" })).split("\n")).toHaveLength(2_001);
  });

  test("are answered in parts that meet without a hole, however small", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await keptShell(peer, script);
    await peer.outcome(id);
    let text = "";
    let cursor: object | null = null;
    for (let more = true; more;) {
      const found: LogsResult = await logs(peer, { processId: id, grep: "line \\d+00$", limit: 20, cursor });
      text += textIn(found);
      ({ more, cursor } = found);
    }
    expect(text).toBe(Array.from({ length: 20 }, (_, n) => `line ${n + 1}00\n`).join(""));
  });

  test("that are followed wait for news, and for the rest of a line", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await keptShell(peer, "printf 'be'; read x; echo gin; read x; echo other; exec sleep 600", {
      pipeStdin: true,
    });
    await peer.outputWith(id, "be");
    const params = { processId: id, grep: "begin|other", follow: true };
    const first = await logs(peer, { ...params, waitMs: 1 });
    expect(first).toMatchObject({ chunks: [], more: false });
    const next = logs(peer, { ...params, cursor: first.cursor, waitMs: 30_000 });
    await peer.call("process/write", { processId: id, chunk: btoa("\n"), writeId: "1" });
    expect(textIn(await next)).toBe("begin\n");
    const last = logs(peer, { ...params, cursor: (await next).cursor, waitMs: 30_000 });
    await peer.call("process/write", { processId: id, chunk: btoa("\n"), writeId: "2" });
    expect(textIn(await last)).toBe("other\n");
  });

  test("are searched for a hostile pattern without stopping anybody", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await keptShell(peer, "head -c 3000000 /dev/zero | tr '\\0' a");
    await untilTrue(() => {
      const last = peer.messages.findLast(({ method }) => method === "process/output");
      if (last !== undefined) {
        peer.notify("process/ack", { processId: id, seq: last.params!["seq"] as number });
      }
      return peer.messages.some(({ method }) => method === "process/closed");
    }, "its end");
    for (const grep of ["(a+)+b", "(a|a)*b", "(.*)*x.*y"]) {
      expect(textIn(await logs(peer, { processId: id, grep }))).toBe("");
    }
    for (const grep of ["(", "a{2000}", "(?=a)", "(a)\\1", "[", "x".repeat(1_001), "(a{100}){100}"]) {
      expect((await refusal(logs(peer, { processId: id, grep }))).code).toBe(-32602);
    }
  });
});

test("256 are kept at most: what has ended makes room, what runs does not", async () => {
  await using server = await serve();
  const { peer } = await extended(server.url);
  await using _ = peer;
  const start = async (argv: string[]) => {
    const params = peer.startParams({ argv });
    await peer.call("process/start", { ...params, keepMs: 60_000 });
    return params.processId;
  };
  const short = await start(["/bin/true"]);
  await peer.outcome(short);
  for (let count = 1; count < 256; count++) await start(["/bin/sleep", "600"]);
  expect(await list(peer)).toHaveLength(256);
  await start(["/bin/sleep", "600"]);
  expect((await list(peer)).map(({ processId }) => processId)).not.toContain(short);
  const params = { ...peer.startParams({ argv: ["/bin/sleep", "600"] }), keepMs: 60_000 };
  expect(await refusal(peer.call("process/start", params))).toEqual({
    code: -32600,
    message: "256 kept processes run already, and that is the most",
  });
  await peer.shell("exit 0"); // what is not kept does not count
}, 60_000);
