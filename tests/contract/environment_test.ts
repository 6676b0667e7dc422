import { describe, expect, test } from "bun:test";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { remoteEnvironment } from "../../lib/environment/connect_remote.ts";
import type { Environment } from "../../lib/environment/environment.ts";
import { followProcess } from "../../lib/environment/follow_process.ts";
import { runCommand } from "../../lib/environment/run_command.ts";
import type { ProcessHandle, StartOptions } from "../../lib/process/backend.ts";
import { ProcessError } from "../../lib/process/process_error.ts";
import type { FailedEvent, ProcessEvent } from "../../lib/process/process_event.ts";
import { serve } from "../../lib/server/serve.ts";
import { environmentTargets, STDIO_PROGRAM } from "../support/environment_targets.ts";
import { within } from "../support/peer_deadline.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (data: Uint8Array) => new TextDecoder().decode(data);

let count = 0;

function start(
  environment: Environment,
  script: string,
  more: Partial<StartOptions> = {},
): Promise<ProcessHandle> {
  return Promise.resolve(
    environment.backend().start({
      processId: `contract-${++count}`,
      argv: ["/bin/sh", "-c", script],
      arg0: null,
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      envPolicy: null,
      tty: false,
      pipeStdin: false,
      size: null,
      terminalSignalExit: "128+n",
      ...more,
    }),
  );
}

/** All it did, to the end. */
function story(process: ProcessHandle): Promise<(ProcessEvent | FailedEvent)[]> {
  const all = async () => await Array.fromAsync(followProcess(process));
  return within(all(), `the end of ${process.processId}`);
}

function said(events: readonly (ProcessEvent | FailedEvent)[], stream = "stdout"): string {
  const chunks = events.flatMap((event) =>
    event.type === "output" && event.stream === stream ? [event.bytes] : []
  );
  return textOf(Buffer.concat(chunks));
}

function exitCode(events: readonly (ProcessEvent | FailedEvent)[]): number | null {
  return events.find((event) => event.type === "exited")?.exitCode ?? null;
}

/** Reads on until a text was said. */
async function untilSaid(process: ProcessHandle, text: string): Promise<void> {
  const wait = async () => {
    let all = "";
    for await (const event of followProcess(process)) {
      if (event.type === "output") all += textOf(event.bytes);
      if (all.includes(text)) return;
    }
    throw new Error(`It ended without saying ${text}, but: ${all}`);
  };
  await within(wait(), `"${text}"`);
}

async function refusal(promise: Promise<unknown>): Promise<string | undefined> {
  const error = await promise.then(() => null, (reason: unknown) => reason);
  if (error instanceof ProcessError) return error.code;
  throw error ?? new Error("It was not refused");
}

for (const { name, open } of environmentTargets) {
  describe(`an environment, ${name}`, () => {
    test("is ready once it was waited for, and has a shell and absolute paths", async () => {
      await using target = await open();
      const { environment } = target;
      await environment.waitUntilReady();
      expect([await environment.status(), environment.startupFinished]).toEqual([{ kind: "ready" }, true]);
      const { shell, cwd, home, version, platform } = await environment.info();
      expect([shell.path, cwd, home].map((path) => path?.[0])).toEqual(["/", "/", "/"]);
      expect([platform, typeof version]).toEqual(["linux", "string"]);
    });

    test("can do all there is between two of ours", async () => {
      await using target = await open();
      expect(await target.environment.backend().abilities())
        .toMatchObject({ terminal: true, closeInput: true, signals: true });
    });

    test("starts processes and tells what they do, in order and without holes", async () => {
      await using target = await open();
      const process = await start(target.environment, "echo out; echo err >&2; exit 7");
      const events = await story(process);
      expect([said(events), said(events, "stderr"), exitCode(events)]).toEqual(["out\n", "err\n", 7]);
      expect(events.map((event) => event.type === "failed" ? 0 : event.seq)).toEqual(
        events.map((_, at) => at + 1),
      );
      expect(events.at(-1)?.type).toBe("closed");
    });

    test("tells the whole story also to those who come after the end", async () => {
      await using target = await open();
      const process = await start(target.environment, "printf one; printf two >&2");
      const first = await story(process);
      expect(await story(process)).toEqual(first);
    });

    test("keeps the events of two processes apart", async () => {
      await using target = await open();
      const both = await Promise.all([
        start(target.environment, "echo a"),
        start(target.environment, "echo b"),
      ]);
      expect((await Promise.all(both.map(story))).map((events) => said(events))).toEqual(["a\n", "b\n"]);
    });

    test("passes bytes unchanged, also those that are no text", async () => {
      await using target = await open();
      const process = await start(target.environment, String.raw`printf '\377\000\n\200'`);
      const [first] = await story(process);
      expect(first).toMatchObject({ type: "output", bytes: new Uint8Array([255, 0, 10, 128]) });
    });

    test("loses nothing of a long output", async () => {
      await using target = await open();
      const { stdout } = await runCommand(target.environment, ["seq", "1", "300000"], { cwd: "/" });
      expect(textOf(stdout)).toBe(Array.from({ length: 300_000 }, (_, line) => `${line + 1}\n`).join(""));
    });

    test("reads pages after a cursor", async () => {
      await using target = await open();
      const process = await start(target.environment, "echo out");
      await story(process);
      const page = await process.read(
        { afterSeq: 0, maxBytes: null, waitMs: 0 },
        new AbortController().signal,
      );
      expect(page).toMatchObject({ closed: true, failure: null, exited: { exitCode: 0 } });
      expect(page.chunks.map((chunk) => textOf(chunk.bytes))).toEqual(["out\n"]);
      const rest = await process.read(
        { afterSeq: page.nextSeq - 1, maxBytes: null, waitMs: 0 },
        new AbortController().signal,
      );
      expect(rest.chunks).toEqual([]);
    });

    test("writes stdin once for each write id, and ends it", async () => {
      await using target = await open();
      const process = await start(target.environment, "cat", { pipeStdin: true });
      const statuses = [
        await process.write(bytes("a"), "1"),
        await process.write(bytes("a"), "1"),
        await process.write(bytes("b"), "2"),
        await process.closeInput("3"),
      ];
      expect(statuses).toEqual(["accepted", "accepted", "accepted", "accepted"]);
      const events = await story(process);
      expect([said(events), exitCode(events)]).toEqual(["ab", 0]);
    });

    test("has no stdin to write to where none was asked for", async () => {
      await using target = await open();
      const process = await start(target.environment, "sleep 60");
      expect(await process.write(bytes("a"), "1")).toBe("stdinClosed");
      await process.terminate();
    });

    test("gives a terminal of the size that was asked for, and resizes it", async () => {
      await using target = await open();
      const script = "stty size; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done";
      const process = await start(target.environment, script, { tty: true, size: { rows: 33, cols: 77 } });
      await untilSaid(process, "ready");
      await process.resize({ rows: 11, cols: 22 });
      const events = await story(process);
      expect(said(events, "pty")).toBe("33 77\r\nready\r\n11 22\r\n");
    });

    test("delivers signals to the program, and nothing to one that ended", async () => {
      await using target = await open();
      const script = "trap 'echo usr1' USR1; trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done";
      const process = await start(target.environment, script);
      await untilSaid(process, "ready");
      await process.signal("USR1");
      await untilSaid(process, "usr1");
      await process.signal("INT");
      expect(exitCode(await story(process))).toBe(9);
      await process.signal("TERM");
    });

    test("tells a death by signal n as 128 + n, on pipes and on a terminal", async () => {
      await using target = await open();
      for (const tty of [false, true]) {
        const events = await story(await start(target.environment, "kill -KILL $$", { tty }));
        expect(exitCode(events)).toBe(137);
      }
    });

    test("terminates with its descendants, and says whether there was something to end", async () => {
      await using target = await open();
      const process = await start(target.environment, "sleep 60 & echo ready; wait");
      await untilSaid(process, "ready");
      expect(await process.terminate()).toBe(true);
      const events = await story(process);
      expect([exitCode(events), events.at(-1)?.type]).toEqual([137, "closed"]);
      expect(await process.terminate()).toBe(false);
    });

    test("asks politely first where there is grace", async () => {
      await using target = await open();
      const script = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
      const process = await start(target.environment, script);
      await untilSaid(process, "ready");
      await process.terminate({ signal: "TERM", ms: 10_000 });
      const events = await story(process);
      expect([said(events), exitCode(events)]).toEqual(["ready\nbye\n", 5]);
    });

    test("refuses an id that is taken, and leaves the first alone", async () => {
      await using target = await open();
      const first = await start(target.environment, "sleep 60", { processId: "twice" });
      expect(await refusal(start(target.environment, "true", { processId: "twice" }))).toBe("duplicate");
      expect(await first.terminate()).toBe(true);
    });

    test("says why a program cannot be started, and its id is free again", async () => {
      await using target = await open();
      const { environment } = target;
      expect(await refusal(start(environment, "", { processId: "x", argv: ["/no/such/program"] }))).toBe(
        "spawn",
      );
      expect(await refusal(start(environment, "", { processId: "x", cwd: "/no/such/place" }))).toBe("spawn");
      expect(exitCode(await story(await start(environment, "exit 0", { processId: "x" })))).toBe(0);
    });

    test("runs a command with the variables of the place, others on top, where it is told", async () => {
      await using target = await open();
      const directory = await realpath(await mkdtemp(join(tmpdir(), "exec-server-contract ü ")));
      try {
        const result = await runCommand(target.environment, ["sh", "-c", 'echo "$X:$HOME"; pwd; exit 3'], {
          cwd: directory,
          env: { X: "y" },
        });
        expect([textOf(result.stdout), result.exitCode]).toEqual([
          `y:${process.env["HOME"]}\n${directory}\n`,
          3,
        ]);
      } finally {
        await rm(directory, { recursive: true });
      }
    });

    test("ends a command whose caller gives up", async () => {
      await using target = await open();
      const { exitCode } = await within(
        runCommand(target.environment, ["sleep", "60"], { cwd: "/", signal: AbortSignal.timeout(50) }),
        "the end of what was given up",
      );
      expect(exitCode).toBe(137);
    });

    test("ends its processes when it is closed", async () => {
      const target = await open();
      const running = await start(target.environment, "echo $$; exec sleep 60");
      await untilSaid(running, "\n");
      const page = await running.read(
        { afterSeq: 0, maxBytes: null, waitMs: 0 },
        new AbortController().signal,
      );
      const pid = Number(textOf(page.chunks[0]!.bytes));
      expect(process.kill(pid, 0)).toBe(true);
      await target[Symbol.asyncDispose]();
      await within(gone(pid), `the end of ${pid}`);
    });
  });
}

describe("an environment on a server that comes and goes", () => {
  const RUN = ["/bin/sh", "-c", "echo hello"] as const;

  test("fails while nobody is there, and works as soon as somebody is", async () => {
    const first = await serve({ listen: "ws://127.0.0.1:0" });
    const { url } = first;
    await first.close();
    await using environment = remoteEnvironment("far", { kind: "url", url });
    const failure = await runCommand(environment, RUN).then(() => null, (error: Error) => error.message);
    expect(failure).toBe(
      "exec-server connection attempt failed: failed to connect to exec-server websocket " +
        `\`${url}\`: Connection refused (os error 111)`,
    );
    expect(await environment.status()).toEqual({ kind: "disconnected", error: failure! });
    const second = await serve({ listen: url });
    try {
      expect(textOf((await runCommand(environment, RUN)).stdout)).toBe("hello\n");
    } finally {
      await environment[Symbol.asyncDispose]();
      await second.close();
    }
  });

  test("on stdio, starts its program when it is first used, and ends it when it is closed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "exec-server-stdio-"));
    try {
      const pidFile = join(directory, "pid");
      const { program, args } = STDIO_PROGRAM;
      const script = `echo $$ > '${pidFile}'; exec "$0" "$@"`;
      const spec = { ...STDIO_PROGRAM, program: "/bin/sh", args: ["-c", script, program, ...args] };
      const environment = remoteEnvironment("far", spec);
      expect([await environment.status(), await Bun.file(pidFile).exists()]).toEqual([
        { kind: "pending" },
        false,
      ]);
      expect(textOf((await runCommand(environment, RUN)).stdout)).toBe("hello\n");
      const pid = Number(await Bun.file(pidFile).text());
      expect(isAlive(pid)).toBe(true);
      await environment[Symbol.asyncDispose]();
      await within(gone(pid), `the end of ${pid}`);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

/** A pid announces its end to its parent only. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await Bun.sleep(3);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
