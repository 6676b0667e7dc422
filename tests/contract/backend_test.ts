import { expect } from "bun:test";
import type { Backend, StartOptions } from "../../lib/process/backend.ts";
import { Input } from "../../lib/process/input.ts";
import { ProcessError } from "../../lib/process/process_error.ts";
import { Followed, startOptions } from "../support/follow.ts";
import { untilTrue, within } from "../support/peer_deadline.ts";
import { isAlive } from "../support/peer_system.ts";
import { onEachBackend } from "./on_each_backend.ts";

async function follow(
  backend: Backend,
  argv: string[],
  change: Partial<StartOptions> = {},
): Promise<Followed> {
  return new Followed(await backend.start(startOptions(argv, change)));
}

const shell = (backend: Backend, script: string, change: Partial<StartOptions> = {}) =>
  follow(backend, ["/bin/sh", "-c", script], change);

async function refusalOf(doing: () => unknown): Promise<ProcessError> {
  try {
    await doing();
  } catch (error) {
    if (error instanceof ProcessError) return error;
    throw error;
  }
  throw new Error("It was not refused");
}

onEachBackend(({ test, ours, plain }) => {
  test("a process tells its output, its exit and its end, in order and numbered without holes", async (backend) => {
    const process = await shell(backend, "echo out; echo err >&2; exit 3");
    expect(await process.end()).toEqual({ exitCode: 3 });
    expect([process.text("stdout"), process.text("stderr")]).toEqual(["out\n", "err\n"]);
    expect(process.seqs).toEqual(process.seqs.map((_, index) => index + 1));
  });

  test("output is whole and binary safe", async (backend) => {
    const size = 5_000_000;
    const process = await follow(backend, ["head", "-c", String(size), "/dev/zero"]);
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.bytes).toEqual({ stdout: size, stderr: 0, pty: 0 });
  });

  test("a terminal has one stream and a size", async (backend) => {
    const process = await follow(backend, ["stty", "size"], { tty: true });
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.text("pty")).toBe("24 80\r\n");
  });

  test("the environment is the given one, and cwd the given directory", async (backend) => {
    const env = { PATH: "/usr/bin:/bin", GREETING: "grüß dich" };
    const process = await shell(backend, 'echo "$GREETING"; pwd; env | wc -l', {
      env,
      cwd: "/usr/bin/../lib",
    });
    await process.end();
    expect(process.text().split("\n").slice(0, 2)).toEqual(["grüß dich", "/usr/lib"]);
  });

  test("a missing program, a missing directory and an empty argv are refused, and the id is free again", async (backend) => {
    const missing = { code: "spawn", message: "No such file or directory (os error 2)" };
    const processId = "same";
    expect(await refusalOf(() => backend.start(startOptions(["/no/such/program"], { processId }))))
      .toMatchObject(missing);
    expect(await refusalOf(() => backend.start(startOptions(["true"], { processId, cwd: "/no/such/dir" }))))
      .toMatchObject(missing);
    const process = await follow(backend, ["true"], { processId });
    expect(await process.end()).toEqual({ exitCode: 0 });
  });

  test("an id is refused while its process lives", async (backend) => {
    const process = await follow(backend, ["sleep", "300"], { processId: "taken" });
    const refusal = await refusalOf(() => backend.start(startOptions(["true"], { processId: "taken" })));
    expect(refusal.code).toBe("duplicate");
    expect(await process.process.terminate()).toBe(true);
    await process.end();
  });

  test("input reaches the child once and in order, also when a write is repeated", async (backend) => {
    const process = await follow(backend, ["cat"], { pipeStdin: true });
    expect(await process.process.write(Buffer.from("one\n"), "1")).toBe("accepted");
    expect(await process.process.write(Buffer.from("one\n"), "1")).toBe("accepted");
    expect(await process.process.write(Buffer.from("two\n"), "2")).toBe("accepted");
    await process.outputWith("two\n");
    expect(process.text()).toBe("one\ntwo\n");
    await process.process.terminate();
    await process.end();
  });

  test("many writes at once keep their order", async (backend) => {
    const process = await follow(backend, ["cat"], { pipeStdin: true });
    const lines = Array.from({ length: 200 }, (_, index) => `${index} ${"x".repeat((index * 37) % 900)}\n`);
    await Promise.all(lines.map((line, index) => process.process.write(Buffer.from(line), `w${index}`)));
    await process.process.write(Buffer.from("end\n"), "end");
    await process.outputWith("end\n");
    expect(process.text()).toBe(`${lines.join("")}end\n`);
    await process.process.terminate();
    await process.end();
  });

  test("a process without input says so", async (backend) => {
    const process = await follow(backend, ["sleep", "300"]);
    expect(await process.process.write(Buffer.from("x"), "1")).toBe("stdinClosed");
    await process.process.terminate();
    await process.end();
  });

  test("an interrupt lets the program choose its end", async (backend) => {
    const process = await shell(backend, "trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done");
    await process.outputWith("ready");
    await process.process.signal("INT");
    expect(await process.end()).toEqual({ exitCode: 7 });
  });

  test("terminate ends the whole group at once, and tells whether there was something to end", async (backend) => {
    const process = await shell(backend, "sleep 300 & echo ready; wait");
    await process.outputWith("ready");
    expect(await process.process.terminate()).toBe(true);
    await process.end();
    expect(process.exitCode).not.toBe(0);
    expect(await process.process.terminate()).toBe(false);
  });

  test("a background child's late output comes after the exit and before the end", async (backend) => {
    const process = await shell(backend, "(sleep 0.2; echo late) & exit 5");
    expect(await process.end()).toEqual({ exitCode: 5 });
    expect(process.text()).toBe("late\n");
    const exit = process.process.log.exited?.seq ?? NaN;
    expect(exit).toBeLessThan(process.seqs.length - 1);
  });

  test("a reader that only looks now and then gets pages", async (backend) => {
    const process = await backend.start(startOptions(["/bin/sh", "-c", "echo a; exec sleep 300"]));
    const never = new AbortController().signal;
    const page = await process.read({ afterSeq: 0, maxBytes: null, waitMs: 10_000 }, never);
    expect(page.chunks.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["a\n"]);
    const empty = await process.read({ afterSeq: 1, maxBytes: null, waitMs: 1 }, never);
    expect(empty.chunks).toEqual([]);
    await process.terminate();
    const last = await process.read({ afterSeq: page.nextSeq, maxBytes: null, waitMs: 10_000 }, never);
    expect(last.closed).toBe(true);
  });

  test("a reader that stops holds the writer back, and loses nothing", async (backend) => {
    const lines = 400_000;
    const process = await backend.start(startOptions(["seq", String(lines)]));
    // A live reader that takes nothing for a while; the log must not forget.
    let wake = () => {};
    const follower = process.log.follow(0, () => wake());
    await new Promise<void>((resolve) => setTimeout(resolve, 300));
    let text = "";
    const all = new Promise<void>((resolve) => {
      wake = () => {
        for (let event = follower.take(); event !== null; event = follower.take()) {
          if (event.type === "output") text += Buffer.from(event.bytes).toString();
          if (event.type === "closed") resolve();
        }
      };
    });
    wake();
    await within(all, "the end of seq");
    expect(text === Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join("")).toBe(true);
  });

  test("disposing the backend ends every process", async (backend) => {
    const process = await shell(backend, "echo $$; exec sleep 300");
    await process.outputWith("\n");
    const pid = Number(process.text());
    await backend[Symbol.asyncDispose]();
    // A server that has sent the kill may answer before the system has reaped the child.
    await untilTrue(() => !isAlive(pid), `the end of process ${pid}`);
  });

  ours("everything is able to everything", async (backend) => {
    expect(await backend.abilities()).toMatchObject({ terminal: true, closeInput: true, signals: true });
  });

  ours("an input that ends, ends for the child after everything written", async (backend) => {
    const process = await follow(backend, ["cat"], { pipeStdin: true });
    const input = new Input(process.process);
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    for (let round = 0; round < 20; round++) expect(await input.write(bytes)).toBe("accepted");
    expect(await input.end()).toBe("accepted");
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.bytes.stdout).toBe(20 * 60_000);
  });

  ours("a terminal has the size it was given, and learns of another", async (backend) => {
    const script = "stty size; trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done";
    const process = await shell(backend, script, { tty: true, size: { rows: 40, cols: 120 } });
    await process.outputWith("ready");
    expect(process.text()).toContain("40 120");
    await process.process.resize({ rows: 50, cols: 132 });
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.text()).toContain("50 132");
  });

  ours("a death by signal on a terminal is 128 and its number", async (backend) => {
    const process = await shell(backend, "kill -9 $$", { tty: true });
    expect(await process.end()).toEqual({ exitCode: 137 });
  });

  ours("every signal arrives", async (backend) => {
    for (const signal of ["TERM", "HUP", "QUIT", "USR1", "USR2", "INT"] as const) {
      const process = await shell(
        backend,
        `trap 'echo ${signal}; exit 9' ${signal}; echo ready; while :; do sleep 0.05; done`,
      );
      await process.outputWith("ready");
      await process.process.signal(signal);
      expect(await process.end()).toEqual({ exitCode: 9 });
    }
  });

  ours("an end with grace asks first and forces afterwards", async (backend) => {
    const polite = await shell(backend, "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done");
    await polite.outputWith("ready");
    expect(await polite.process.terminate({ signal: "TERM", ms: 20_000 })).toBe(true);
    expect(await polite.end()).toEqual({ exitCode: 4 });
    const deaf = await shell(backend, "trap '' TERM; echo ready; while :; do sleep 0.05; done");
    await deaf.outputWith("ready");
    expect(await deaf.process.terminate({ signal: "TERM", ms: 50 })).toBe(true);
    expect(await deaf.end()).toEqual({ exitCode: 137 });
  });

  ours("a failed start tells which step failed", async (backend) => {
    const { failure } = await refusalOf(() => backend.start(startOptions(["true"], { cwd: "/no/such/dir" })));
    expect(failure).toEqual({ phase: "cwd", errno: "ENOENT", path: "/no/such/dir" });
  });

  plain("what Codex does not know is refused in words, and nothing is sent", async (backend) => {
    expect(await backend.abilities()).toEqual({
      ...{ terminal: false, closeInput: false, signals: false },
      trees: null,
    });
    const process = await follow(backend, ["sleep", "300"], { tty: true, size: { rows: 3, cols: 4 } });
    for (
      const refused of [
        () => process.process.closeInput("1"),
        () => process.process.resize({ rows: 1, cols: 2 }),
        () => process.process.signal("TERM"),
      ]
    ) expect((await refusalOf(refused)).code).toBe("unsupported");
    expect(await process.process.terminate({ signal: "TERM", ms: 60_000 })).toBe(true);
    expect(await process.end()).toMatchObject({ exitCode: expect.any(Number) });
  });
});
