import { closeSync } from "node:fs";
import { constants } from "node:os";
import { growPipe, makePipe } from "./libc.ts";
import type { Child, ChildListener, ChildStdin, Launch } from "./child.ts";
import { exitOf, spentOf } from "./child_exit.ts";
import { inCgroup } from "./in_cgroup.ts";
import { WritePace } from "./write_pace.ts";

/** So much is on its way into a child's input at a time: as much as a pipe holds, if it is empty. */
const PIECE_BYTES = 64 * 1024;
/** Room for another piece, whatever is in the pipe already. */
const GROWN_PIPE_BYTES = 256 * 1024;

/**
 * A child on pipes, leader of a session and a process group of its own.
 * Throws the runtime's error when the system will not start it; nothing is left open then.
 */
export function spawnPipeChild(launch: Launch, pipeStdin: boolean, listener: ChildListener): Child {
  const pipes: ReturnType<typeof makePipe>[] = [];
  const pipe = () => {
    const ends = makePipe();
    pipes.push(ends);
    return ends;
  };
  try {
    const out = pipe();
    const err = pipe();
    const input = pipeStdin ? pipe() : null;
    const pid = spawn(launch, [input?.readEnd ?? "ignore", out.writeEnd, err.writeEnd], listener);
    pipes.length = 0; // from here on each end has an owner
    closeSync(out.writeEnd);
    closeSync(err.writeEnd);
    if (input !== null) closeSync(input.readEnd);
    const pace = new WritePace();
    const stopOut = readPipe(out.readEnd, "stdout", listener, pace);
    const stopErr = readPipe(err.readEnd, "stderr", listener, pace);
    return {
      pid,
      stdin: input === null ? null : pipeStdinWriter(input.writeEnd, pace),
      stopReading() {
        stopOut();
        stopErr();
      },
    };
  } finally {
    for (const { readEnd, writeEnd } of pipes) {
      closeSync(readEnd);
      closeSync(writeEnd);
    }
  }
}

function spawn(
  launch: Launch,
  stdio: [number | "ignore", number, number],
  listener: ChildListener,
): number {
  return Bun.spawn({
    cmd: [launch.program, ...launch.argv.slice(1)],
    argv0: launch.argv[0]!,
    cwd: launch.cwd,
    env: launch.env,
    stdio: [...stdio, ...launch.extraFds],
    detached: true, // setsid: kill(-pid) reaches everyone it starts
    ...inCgroup(launch),
    onExit: (child, code, signal) => listener.exited(exitOf(code, signal), spentOf(child)),
  }).pid;
}

/** Reads a pipe to its end, one chunk at a time, never ahead of the listener. Returns how to stop. */
function readPipe(
  fd: number,
  stream: "stdout" | "stderr",
  listener: ChildListener,
  pace: WritePace,
): () => void {
  const reader = Bun.file(fd).stream().getReader();
  const first = reader.read();
  // The stream reads from a descriptor of its own once its first read has begun.
  closeSync(fd);
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    listener.streamEnded(stream);
  };
  const readOn = async () => {
    for (let next = await first; !next.done && !ended; next = await reader.read()) {
      const { length } = next.value; // the bytes are the listener's from now on
      const held = listener.output(stream, next.value);
      if (held !== null) await held;
      const pause = pace.pauseAfter(length);
      if (pause > 0) await Bun.sleep(pause);
    }
  };
  // A read that fails ends the stream like an end of file: there is nobody else to tell.
  readOn().then(end, end);
  return () => {
    end();
    reader.cancel().catch(() => {});
  };
}

function pipeStdinWriter(fd: number, pace: WritePace): ChildStdin {
  const sink = Bun.file(fd).writer();
  let state: "open" | "broken" | "ended" = "open";
  const isOpen = () => state === "open";
  let stuck = false;
  return {
    async write(bytes) {
      if (!isOpen()) return;
      pace.written();
      try {
        for (let start = 0; start < bytes.length && isOpen(); start += PIECE_BYTES) {
          stuck = true;
          await sink.write(bytes.subarray(start, start + PIECE_BYTES));
          await sink.flush();
          stuck = false;
        }
      } catch {
        // EPIPE: the child has closed its input, as it may. What is written to it vanishes.
        state = "broken";
      }
    },
    finish() {
      this.end();
    },
    end() {
      if (state === "ended") return;
      state = "ended";
      const close = () => closeQuietly(fd);
      try {
        Promise.resolve(sink.end()).then(close, close);
        // Somebody whom the child left behind may hold the other end and never read. The sink does not let go of
        // the pipe before its last piece is in.
        if (stuck) growPipe(fd, GROWN_PIPE_BYTES);
      } catch {
        close();
      }
    },
  };
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    // The sink may have closed it with itself.
    if (!(error instanceof Error && "errno" in error && error.errno === -constants.errno.EBADF)) throw error;
  }
}
