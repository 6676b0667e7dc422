import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { execCommand, type Script, type ToolCall, writeStdin } from "./mock_model.ts";
import { type ClientOptions, type Conversation, converse } from "./real_client.ts";
import { CODEX_VERSIONS, type CodexVersion, findCodex } from "../support/real_codex.ts";
import { openServer } from "./open_server.ts";
import { SeverableLine } from "./severable_line.ts";
import { makeTemporaryDirectory } from "./temporary_directory.ts";
import { sessionOf, type ToolAnswer } from "./tool_answer.ts";

/** For a command that ends by itself: the longest the tool waits. */
const TO_THE_END = { yield_time_ms: 30_000 };
/** For a command that goes on: the shortest the tool waits. */
const BRIEFLY = { yield_time_ms: 250 };
/** What the tool says when there is no environment to run in. */
const NOWHERE = "No usable execution environment is available.";
/** Above the deadline of one conversation, so that its own message is the one to be seen. */
const TIMEOUT_MS = 45_000;

for (const codex of await Promise.all(CODEX_VERSIONS.map(findCodex))) {
  if (codex.found) describe(`codex ${codex.version} as a client`, () => follow(codex.version, codex.binary));
  else {
    console.warn(`Skipped: ${codex.reason}`);
    test.skip(`codex ${codex.version} as a client (${codex.reason})`, () => {});
  }
}

function follow(version: CodexVersion, binary: string): void {
  const opened = new AsyncDisposableStack();
  let serverUrl = "";
  beforeAll(async () => {
    serverUrl = opened.use(await openServer()).url;
  });
  afterAll(() => opened.disposeAsync());

  /** One whole conversation that must end well for the client itself. */
  async function hold(script: () => Script, more: Partial<ClientOptions> = {}): Promise<Conversation> {
    const conversation = await converse({ binary, serverUrl, ...more }, script);
    expect(conversation).toMatchObject({ said: "The end", exitCode: 0 });
    return conversation;
  }

  function it(name: string, body: () => Promise<void>): void {
    test(name, body, TIMEOUT_MS);
  }

  it("a command comes back with its exit code and what it printed on both streams", async () => {
    const { answers: [answer] } = await hold(function* () {
      yield execCommand("echo out; echo err >&2; exit 7", TO_THE_END);
      return "The end";
    });
    expect(answer).toMatchObject({ exitCode: 7, sessionId: null, originalTokens: 2 });
    // Two pipes have no common order.
    expect(answer?.output.split("\n").sort()).toEqual(["", "err", "out"]);
  });

  it("a command runs on the server, in the client's directory, with the client's overlay", async () => {
    await using place = await makeTemporaryDirectory();
    const { answers: [answer] } = await hold(function* () {
      yield execCommand('echo "$RAN_ON, $TERM, $PAGER"; pwd', TO_THE_END);
      return "The end";
    }, { workdir: place.path });
    expect(answer).toMatchObject({ exitCode: 0, output: `the server, dumb, cat\n${place.path}\n` });
  });

  it("an interactive shell on a terminal is typed to, answers, and ends", async () => {
    const { answers } = await hold(function* () {
      const started = yield execCommand("sh", { tty: true, ...BRIEFLY });
      const session = sessionOf(started);
      // The sum proves that the line was run, where its echo only proves that it was typed.
      let seen = (yield writeStdin(session, "stty size; echo a$((40 + 2))z\n", BRIEFLY)).output;
      while (!seen.includes("a42z")) seen += (yield writeStdin(session, "\n", BRIEFLY)).output;
      expect(seen).toContain("24 80\r\n");
      yield writeStdin(session, "exit 5\n", TO_THE_END);
      yield writeStdin(session, "too late\n", BRIEFLY);
      return "The end";
    });
    expect(answers.at(-2)).toMatchObject({ exitCode: 5, sessionId: null });
    expect(answers.at(-1)?.text).toMatch(/^write_stdin failed: Unknown process id/);
  });

  it("two terminals at once each get only what was typed into them", async () => {
    await hold(function* () {
      const echo = 'while read -r line; do echo "$0 got $line"; done';
      const left = sessionOf(yield execCommand(`exec sh -c '${echo}' left`, { tty: true, ...BRIEFLY }));
      const right = sessionOf(yield execCommand(`exec sh -c '${echo}' right`, { tty: true, ...BRIEFLY }));
      let onLeft = (yield writeStdin(left, "one\n", BRIEFLY)).output;
      let onRight = (yield writeStdin(right, "two\n", BRIEFLY)).output;
      while (!onLeft.includes("left got one")) onLeft += (yield writeStdin(left, "\n", BRIEFLY)).output;
      while (!onRight.includes("right got two")) onRight += (yield writeStdin(right, "\n", BRIEFLY)).output;
      expect(onLeft).not.toMatch(/right|two/);
      expect(onRight).not.toMatch(/left|one/);
      for (const session of [left, right]) {
        expect(yield writeStdin(session, "\u0004", TO_THE_END)).toMatchObject({ exitCode: 0 });
      }
      return "The end";
    });
  });

  it("Ctrl-C ends a command without a terminal, which reports 130", async () => {
    const { answers } = await hold(function* () {
      const { session } = yield* started("echo ready; exec sleep 60");
      yield writeStdin(session, "\u0003", TO_THE_END);
      return "The end";
    });
    expect(answers.at(-1)).toMatchObject({ exitCode: 130, sessionId: null });
  });

  for (const tty of [false, true]) {
    it(`Ctrl-C is a chance to clean up, ${tty ? "on" : "without"} a terminal`, async () => {
      const { answers } = await hold(function* () {
        const patient = "trap 'echo cleaned; exit 9' INT; echo ready; while :; do sleep 0.05; done";
        const { session } = yield* started(patient, tty);
        yield writeStdin(session, "\u0003", TO_THE_END);
        return "The end";
      });
      expect(answers.at(-1)).toMatchObject({ exitCode: 9, sessionId: null });
      expect(answers.at(-1)?.output).toContain("cleaned");
    });
  }

  it("a flood of 20 MB fails nothing: the model sees its head, its tail and the exit code", async () => {
    const size = 20_488_896; // 1 to 2700000 with their newlines
    await using line = await SeverableLine.to(serverUrl);
    const { answers: [answer] } = await hold(function* () {
      yield execCommand("seq 1 2700000; exit 3", TO_THE_END);
      return "The end";
    }, { serverUrl: line.url });
    expect(answer).toMatchObject({ exitCode: 3, sessionId: null });
    expect(answer?.output).toContain("bytes omitted ...\n\n1\n2\n3\n4\n5\n");
    expect(answer?.output).toEndWith("\n2699998\n2699999\n2700000\n");
    // The server sent it all, as base64. How much of the middle the client counts is its own affair: one that
    // falls behind gives up what lies more than 1 MiB back, with any server.
    expect(line.received).toBeGreaterThan(size / 3 * 4);
    expect(answer?.originalTokens).toBeLessThanOrEqual(size / 4);
  });

  it("a missing directory is told to the model as the system says it", async () => {
    const { answers: [missing, next] } = await hold(function* () {
      yield execCommand("echo here", { workdir: "/does/not/exist", ...TO_THE_END });
      yield execCommand("echo still here", TO_THE_END);
      return "The end";
    });
    expect(missing?.text).toMatch(/^exec_command failed.*No such file or directory \(os error 2\)/);
    expect(next).toMatchObject({ exitCode: 0, output: "still here\n" });
  });

  it("a command that asks for a sandbox never runs without one", async () => {
    await using place = await makeTemporaryDirectory();
    await hold(function* () {
      yield execCommand("echo escaped > evidence", TO_THE_END);
      return "The end";
    }, { workdir: place.path, sandbox: "read-only" });
    expect(existsSync(join(place.path, "evidence"))).toBe(false);
  });

  it("a command that is still running when the client leaves does not outlive it", async () => {
    let pid = 0;
    await hold(function* () {
      const { seen } = yield* started("exec sh -c 'echo ready $$; sleep 60; :'");
      pid = Number(/ready (\d+)/.exec(seen)?.[1]);
      expect(isAlive(pid)).toBe(true);
      return "The end";
    });
    await becomesTrue(() => !isAlive(pid));
  });

  it("with the URL `none` nothing runs anywhere", async () => {
    await using place = await makeTemporaryDirectory();
    const { answers: [answer] } = await hold(function* () {
      yield execCommand("echo escaped > evidence", TO_THE_END);
      return "The end";
    }, { workdir: place.path, serverUrl: "none" });
    // The older client does not offer the tool at all.
    expect(answer?.text).toStartWith(version === "0.145.0" ? "unsupported call: exec_command" : NOWHERE);
    expect(existsSync(join(place.path, "evidence"))).toBe(false);
  });

  // Older clients know no token in environments.toml.
  test.skipIf(version === "0.145.0")("only the right bearer token opens a guarded server", async () => {
    const token = "a token for one test";
    const digest = createHash("sha256").update(token).digest("hex");
    await using guarded = await openServer(["--ws-auth", "capability-token", "--ws-token-sha256", digest]);
    // Without `include_local` off, a client that is turned away runs the command on its own machine.
    const showing = (token: string) => ({
      environmentsToml: `
default = "guarded"
include_local = false
[[environments]]
id = "guarded"
url = ${JSON.stringify(guarded.url)}
auth_bearer_token = ${JSON.stringify(token)}
`,
    });
    function* script(): Script {
      yield execCommand('echo "on $RAN_ON"', TO_THE_END);
      return "The end";
    }
    const { answers: [welcomed] } = await hold(script, showing(token));
    expect(welcomed).toMatchObject({ exitCode: 0, output: "on the server\n" });
    const { answers: [refused] } = await hold(script, showing("a wrong one"));
    expect(refused?.text).toStartWith(NOWHERE);
  }, TIMEOUT_MS);

  it("a command outlives a cut line: all it printed meanwhile comes back", async () => {
    await using place = await makeTemporaryDirectory();
    await using line = await SeverableLine.to(serverUrl);
    const mark = (name: string) => join(place.path, name);
    const until = (name: string) => `until [ -e ${name} ]; do sleep 0.02; done`;
    const command = `echo before; touch begun; ${until("cut")}; echo during; touch printed; ` +
      `${until("resumed")}; echo after; exit 4`;
    const conversation = hold(function* () {
      yield execCommand(command, TO_THE_END);
      return "The end";
    }, { workdir: place.path, serverUrl: line.url });

    await becomesTrue(() => existsSync(mark("begun")));
    line.cut();
    await Bun.write(mark("cut"), "");
    await becomesTrue(() => existsSync(mark("printed")));
    const before = line.carried;
    line.mend();
    await becomesTrue(() => line.carried > before);
    await Bun.write(mark("resumed"), "");

    const { answers: [answer] } = await conversation;
    expect(answer).toMatchObject({ exitCode: 4, sessionId: null, output: "before\nduring\nafter\n" });
  });

  it("a client that was away for 100 MB catches up: the model sees its head, its tail and the exit code", async () => {
    // What a server keeps by itself is a MiB, and the client gives the command up.
    if (process.env["INTEROP_SERVER"] === "real") return;
    await using place = await makeTemporaryDirectory();
    await using line = await SeverableLine.to(serverUrl);
    const mark = (name: string) => join(place.path, name);
    const command = "echo before; touch begun; until [ -e cut ]; do sleep 0.02; done; " +
      "seq 1 13000000; touch printed; until [ -e resumed ]; do sleep 0.02; done; echo after; exit 4";
    const conversation = hold(function* () {
      yield execCommand(command, TO_THE_END);
      return "The end";
    }, { workdir: place.path, serverUrl: line.url });

    await becomesTrue(() => existsSync(mark("begun")));
    line.cut();
    await Bun.write(mark("cut"), "");
    await becomesTrue(() => existsSync(mark("printed")));
    const before = line.carried;
    line.mend();
    await becomesTrue(() => line.carried > before);
    await Bun.write(mark("resumed"), "");

    const { answers: [answer] } = await conversation;
    expect(answer).toMatchObject({ exitCode: 4, sessionId: null });
    expect(answer?.output).toContain("bytes omitted ...\n\nbefore\n1\n2\n3\n4\n5\n");
    expect(answer?.output).toEndWith("\n12999999\n13000000\nafter\n");
    // Four bytes are a token for the client: it had them all.
    const printed = "before\nafter\n".length + 105_888_897;
    expect(answer?.originalTokens).toBe(Math.ceil(printed / 4));
  });

  it("what is typed while the line is cut arrives once", async () => {
    await using line = await SeverableLine.to(serverUrl);
    let mended = Promise.resolve();
    await hold(function* () {
      const session = sessionOf(yield execCommand("sh", { tty: true, ...BRIEFLY }));
      line.cut();
      mended = becomesTrue(() => line.refused >= 2).then(() => line.mend());
      let seen = (yield writeStdin(session, "echo a$((40 + 2))z\n", BRIEFLY)).output;
      while (!seen.includes("a42z")) seen += (yield writeStdin(session, "\n", BRIEFLY)).output;
      const { exitCode, output } = yield writeStdin(session, "exit 6\n", TO_THE_END);
      expect({ exitCode, echoes: (seen + output).match(/a42z/g) }).toEqual({ exitCode: 6, echoes: ["a42z"] });
      return "The end";
    }, { serverUrl: line.url });
    await mended;
    expect(line.carried).toBe(2);
  });
}

/** Starts a command that prints `ready` and a newline, and goes on only when it did. */
function* started(
  cmd: string,
  tty = false,
): Generator<ToolCall, { session: number; seen: string }, ToolAnswer> {
  const answer = yield execCommand(cmd, { tty, ...BRIEFLY });
  const session = sessionOf(answer);
  let seen = answer.output;
  while (!/ready[^\n]*\n/.test(seen)) seen += (yield writeStdin(session, "", BRIEFLY)).output;
  return { session, seen };
}

/** The deadline is the test's own. */
async function becomesTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(10);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
