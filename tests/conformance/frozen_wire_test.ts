// What other programs rely on, written out once more by hand. A test that fails here is not mended by changing the
// expected value: the other side of the wire has been released and will not change with us. What is new and released gets
// a line of its own; a line that stands here stays as it is.
import { describe, expect, test } from "bun:test";
import { RETENTION_MS } from "../../lib/process/local/local_backend.ts";
import { RETAINED_BYTES, RETAINED_CHUNKS } from "../../lib/process/event_log.ts";
import { SIGNALS } from "../../lib/process/backend.ts";
import { LEFTOVERS, LIMIT_NAMES } from "../../lib/process/limits.ts";
import { REMEMBERED_WRITES } from "../../lib/process/stdin_ledger.ts";
import { EXECUTING_REQUESTS, WAITING_REQUESTS } from "../../lib/rpc/dispatcher.ts";
import { refusalBefore } from "../../lib/server/handshake.ts";
import { metadataInWords } from "../../lib/server/files_v1_words.ts";
import { KEEP_MS, MOST_KEPT } from "../../lib/server/kept_processes.ts";
import { DETACH_TTL_MS } from "../../lib/server/session_registry.ts";
import { writeListedName } from "../../lib/wire/directory_listing.ts";
import {
  NO_REQUEST,
  type RequestId,
  writeError,
  writeRequest,
  writeResult,
} from "../../lib/wire/envelope.ts";
import { EXTENSIONS, FLOW_WINDOW_BYTES } from "../../lib/wire/extensions.ts";
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from "../../lib/wire/json_limits.ts";
import { MAX_MESSAGE_BYTES } from "../../lib/wire/message_limits.ts";
import { findMethod, methods } from "../../lib/wire/methods.ts";
import { writeClosed, writeExited, writeGap, writeOutput } from "../../lib/wire/process_events.ts";
import { LOGS_BYTES, LONGEST_KEEP_MS, LONGEST_PATTERN } from "../../lib/wire/processes_v1_messages.ts";
import * as codes from "../../lib/wire/wire_error.ts";
import { extended } from "../support/extended_peer.ts";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { oursTarget } from "../support/target_ours.ts";

const MIB = 1024 * 1024;

/** All that a Codex server of 0.169 answers, whether ours does already or not. */
const CODEX_METHODS = [
  ...[
    "initialize",
    "environment/info",
    "environment/status",
    "environmentConfig/read",
    "capabilities/discoverV2",
    "capabilityRoots/discoverV1",
  ],
  ...[
    "process/start",
    "process/read",
    "process/write",
    "process/signal",
    "process/terminate",
    "http/request",
  ],
  ...[
    "fs/readFile",
    "fs/writeFile",
    "fs/open",
    "fs/readBlock",
    "fs/writeBlock",
    "fs/close",
    "fs/createDirectory",
  ],
  ...[
    "fs/getMetadata",
    "fs/canonicalize",
    "fs/readDirectory",
    "fs/walk",
    "fs/remove",
    "fs/copy",
    "fs/watchMissing",
  ],
];

describe("frozen wire", () => {
  test("the methods, the family that each belongs to, and the extension without which it does not exist", () => {
    const listed = Object.entries(methods).map(([name, { family, extension, extended }]) => [
      name,
      { family, extension, extendedBy: extended?.by ?? null },
    ]);
    expect(Object.fromEntries(listed)).toMatchObject({
      "initialize": { family: null, extension: null, extendedBy: null },
      "environment/info": { family: "environment info", extension: null, extendedBy: null },
      "environment/status": { family: "environment status", extension: null, extendedBy: null },
      "process/start": { family: "exec", extension: null, extendedBy: "terminal.v1" },
      "process/read": { family: "exec", extension: null, extendedBy: null },
      "process/write": { family: "exec", extension: null, extendedBy: null },
      "process/closeStdin": { family: "exec", extension: "stdin.v1", extendedBy: null },
      "process/signal": { family: "exec", extension: null, extendedBy: "signals.v1" },
      "process/resize": { family: "exec", extension: "terminal.v1", extendedBy: null },
      "process/terminate": { family: "exec", extension: null, extendedBy: "signals.v1" },
      "process/list": { family: "exec", extension: "processes.v1", extendedBy: null },
      "process/attach": { family: "exec", extension: "processes.v1", extendedBy: null },
      "process/detach": { family: "exec", extension: "processes.v1", extendedBy: null },
      "process/wait": { family: "exec", extension: "processes.v1", extendedBy: null },
      "process/logs": { family: "exec", extension: "processes.v1", extendedBy: null },
      "fs/open": { family: "filesystem", extension: null, extendedBy: "files.v1" },
      "fs/getMetadata": { family: "filesystem", extension: null, extendedBy: "files.v1" },
      "fs/rename": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/chmod": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/utimes": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/symlink": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/append": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/setAttributes": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/list": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/watch": { family: "filesystem", extension: "files.v1", extendedBy: null },
      "fs/unwatch": { family: "filesystem", extension: "files.v1", extendedBy: null },
    });
  });

  test("a peer that names no extension finds Codex's methods and none of our own", () => {
    const found = Object.keys(methods).filter((name) => findMethod(name, new Set()) !== null);
    expect(found.filter((name) => !CODEX_METHODS.includes(name))).toEqual([]);
  });

  test("the sentences for a method that is called too early", () => {
    expect(["exec", "environment info", "environment status"].flatMap((family) => [
      refusalBefore("new", family),
      refusalBefore("requested", family),
      refusalBefore("ready", family),
    ])).toEqual([
      "client must call initialize before using exec methods",
      "client must send initialized before using exec methods",
      null,
      "client must call initialize before using environment info methods",
      "client must send initialized before using environment info methods",
      null,
      "client must call initialize before using environment status methods",
      "client must send initialized before using environment status methods",
      null,
    ]);
  });

  test("the error codes", () => {
    const numbers = Object.entries(codes).filter(([, value]) => typeof value === "number");
    expect(Object.fromEntries(numbers)).toMatchObject({
      INVALID_REQUEST: -32600,
      UNKNOWN_METHOD: -32601,
      INVALID_PARAMS: -32602,
      INTERNAL_ERROR: -32603,
      NOT_FOUND: -32004,
      ALREADY_ATTACHED: -32010,
    });
  });

  test("the envelopes, to the letter", () => {
    const id = "7" as RequestId;
    expect(writeRequest(7, "m", { a: 1 })).toBe('{"id":7,"method":"m","params":{"a":1}}');
    expect(writeResult(id, { ok: true })).toBe('{"id":7,"result":{"ok":true}}');
    expect(writeError(id, new codes.WireError(-32603, "no"))).toBe(
      '{"error":{"code":-32603,"message":"no"},"id":7}',
    );
    expect(writeError(id, new codes.WireError(-32603, "no", { phase: "cwd" }))).toBe(
      '{"error":{"code":-32603,"message":"no","data":{"phase":"cwd"}},"id":7}',
    );
    expect(NO_REQUEST as string).toBe("-1");
  });

  test("the notifications of a process, to the letter", () => {
    const bytes = new TextEncoder().encode("hi\n");
    expect(writeOutput('"p"', 1, "stdout", bytes)).toBe(
      '{"method":"process/output","params":{"processId":"p","seq":1,"stream":"stdout","chunk":"aGkK"}}',
    );
    expect(writeExited('"p"', 2, 137, false)).toBe(
      '{"method":"process/exited","params":{"processId":"p","seq":2,"exitCode":137,"sandboxDenied":false}}',
    );
    expect(writeClosed('"p"', 3)).toBe('{"method":"process/closed","params":{"processId":"p","seq":3}}');
    const usage = { wallMs: 5, cpuMs: 1, maxRssBytes: null, bytes: { stdout: 3 } };
    const account = { outcome: { kind: "limit", limit: "wallMs", signal: "KILL" }, usage };
    expect(writeExited('"p"', 2, 137, false, account)).toBe(
      '{"method":"process/exited","params":{"processId":"p","seq":2,"exitCode":137,"sandboxDenied":false,' +
        '"outcome":{"kind":"limit","limit":"wallMs","signal":"KILL"},' +
        '"usage":{"wallMs":5,"cpuMs":1,"maxRssBytes":null,"bytes":{"stdout":3}}}}',
    );
    expect(writeGap('"p"', { fromSeq: 2, toSeq: 9, bytes: 70 })).toBe(
      '{"method":"process/gap","params":{"processId":"p","fromSeq":2,"toSeq":9,"bytes":70}}',
    );
  });

  test("the limits of a message", () => {
    expect({ MAX_MESSAGE_BYTES, MAX_JSON_DEPTH, MAX_JSON_VALUES }).toEqual({
      MAX_MESSAGE_BYTES: 64 * MIB,
      MAX_JSON_DEPTH: 127,
      MAX_JSON_VALUES: 262_144,
    });
  });

  test("what is kept, how much and how long", () => {
    expect({ RETAINED_BYTES, RETAINED_CHUNKS, RETENTION_MS, DETACH_TTL_MS, REMEMBERED_WRITES }).toEqual({
      RETAINED_BYTES: MIB,
      RETAINED_CHUNKS: 50_000,
      RETENTION_MS: 80_000,
      DETACH_TTL_MS: 80_000,
      REMEMBERED_WRITES: 4_096,
    });
  });

  test("how many requests of one connection run or wait at once", () => {
    expect({ EXECUTING_REQUESTS, WAITING_REQUESTS }).toEqual({
      EXECUTING_REQUESTS: 128,
      WAITING_REQUESTS: 2_048,
    });
  });

  test("the extensions, and what they agree on", () => {
    expect([...EXTENSIONS]).toEqual(
      expect.arrayContaining(["terminal.v1", "stdin.v1", "signals.v1", "flow.v1", "files.v1", "outcome.v1"]),
    );
    expect([...EXTENSIONS]).toContain("processes.v1");
    expect(methods["process/start"].further?.by).toBe("outcome.v1");
    expect(methods["process/start"].besides?.by).toBe("processes.v1");
    expect([MOST_KEPT, KEEP_MS, LONGEST_KEEP_MS, LONGEST_PATTERN, LOGS_BYTES]).toEqual([
      ...[256, 86_400_000, 30 * 86_400_000, 1_000, 4 * MIB],
    ]);
    expect([LIMIT_NAMES, LEFTOVERS]).toEqual([
      ["wallMs", "idleMs", "memoryBytes", "pids", "cpuMs", "outputBytes"],
      ["keep", "kill", "report"],
    ]);
    expect(FLOW_WINDOW_BYTES).toBe(4 * MIB);
    expect(SIGNALS).toEqual(["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "KILL", "STOP", "CONT", "WINCH"]);
  });

  test("what files.v1 tells of a file, by itself and in a listing, to the letter", () => {
    const times = { createdAtMs: 2, modifiedAtMs: -3 };
    const more = { mode: 0o644, links: 1, identity: "8:9", accessedAtMs: 4, changedAtMs: 5 };
    const kinds = { isDirectory: false, isFile: true, isSymlink: false };
    const found = { ...kinds, ...times, size: 1, more: { ...more, linkTarget: "x" } };
    expect(metadataInWords(found, new Set(["files.v1"]))).toEqual({
      ...{ ...kinds, ...times, size: 1 },
      more: { ...more, linkTargetBase64: "eA==" },
    });
    expect(writeListedName({ bytes: "n", ...kinds })).toBe("fn\0");
    expect(writeListedName({ bytes: "n", ...kinds, metadata: null })).toBe("fn\0\0");
    expect(writeListedName({ bytes: "n", ...kinds, metadata: { size: 1, ...times, ...more } })).toBe(
      "fn\x001 2 -3 420 1 4 5 8:9\0",
    );
  });

  test("the members of every answer of processes.v1, from a live server", async () => {
    await using server = await oursTarget().serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const processId = await peer.shell("echo up", { name: "frozen" } as object);
    await peer.outcome(processId);
    const answer = (method: string) => peer.call<Record<string, unknown>>(method, { processId });
    const { processes } = await peer.call<{ processes: object[] }>("process/list", {});
    const process = [
      ...[
        "ageMs",
        "exitCode",
        "expiresInMs",
        "labels",
        "name",
        "nextSeq",
        "outcome",
        "outputBytes",
        "processId",
      ],
      ...["program", "readers", "state", "tty", "usage"],
    ];
    expect(Object.keys(processes[0]!).sort()).toEqual(process);
    expect(Object.keys((await answer("process/wait"))["process"] as object).sort()).toEqual(process);
    expect(Object.keys(await answer("process/attach")).sort()).toEqual(["afterSeq", "process", "writer"]);
    const logs = await answer("process/logs");
    expect(Object.keys(logs).sort()).toEqual(["chunks", "cursor", "cut", "gaps", "more", "process"]);
    expect([logs["chunks"], logs["cursor"]]).toEqual([
      [{ seq: 1, stream: "stdout", chunk: "dXAK" }],
      { afterSeq: 3 },
    ]);
    expect(await answer("process/detach")).toEqual({});
  });

  test("the members of every answer, from a live server", async () => {
    await using server = await oursTarget().serve();
    await using peer = await Peer.connect(server.url);
    const shown: Record<string, unknown> = {};
    const members = async (method: string, params: object | null) => {
      shown[method] = Object.keys(await peer.call<object>(method, params)).sort();
    };
    await members("initialize", { clientName: "frozen" });
    peer.notify("initialized");
    await members("environment/info", null);
    await members("environment/status", null);
    const processId = "frozen";
    await members("process/start", peer.startParams({ argv: ["/bin/cat"], pipeStdin: true, processId }));
    await members("process/write", { processId, chunk: "aGkK", writeId: "1" });
    await members("process/read", { processId, waitMs: 5_000 });
    await members("process/signal", { processId, signal: "interrupt" });
    await members("process/terminate", { processId });
    expect(shown).toEqual({
      "initialize": ["environmentInfo", "sessionId"],
      "environment/info": expect.arrayContaining([
        ...["capabilities", "cwd", "executorVersion", "platformOs", "providerId", "shell", "tempDir"],
        "temporaryDirectories",
      ]),
      "environment/status": ["status"],
      "process/start": ["processId", "sandboxType"],
      "process/write": ["status"],
      "process/read": ["chunks", "closed", "exitCode", "exited", "failure", "nextSeq", "sandboxDenied"],
      "process/signal": [],
      "process/terminate": ["running"],
    });
    expect(await refusal(peer.call("no/such"))).toEqual({
      code: -32601,
      message: "exec-server stub does not implement `no/such` yet",
    });
  });
});
