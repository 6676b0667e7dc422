import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import type { TerminalSize } from "../backend.ts";
import type { Child, ChildListener, ChildStdin, Launch } from "./child.ts";
import { exitOf, spentOf } from "./child_exit.ts";
import { inCgroup } from "./in_cgroup.ts";
import { setTerminalFlow } from "./libc.ts";
import { procIsOurs } from "./own_proc.ts";

/** What a program is told when nobody said: the size of every terminal since the VT100. */
export const DEFAULT_SIZE: TerminalSize = { rows: 24, cols: 80 };

/** Ctrl-D: the end of input, as far as a terminal has one. */
const END_OF_FILE_KEY = new Uint8Array([4]);

/** More than this waiting to be typed makes the next write wait. */
const TYPED_AHEAD_BYTES = 64 * 1024;

/** A child on a terminal of its own, which is its controlling terminal. */
export function spawnPtyChild(launch: Launch, size: TerminalSize, listener: ChildListener): Child {
  const flow = new TerminalFlow();
  const keyboard = new Keyboard();
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    keyboard.end();
    // Without this the terminal's descriptor stays until the garbage collector comes by.
    terminal.close();
    listener.streamEnded("pty");
  };
  const spawned = Bun.spawn({
    cmd: [launch.program, ...launch.argv.slice(1)],
    argv0: launch.argv[0]!,
    cwd: launch.cwd,
    env: launch.env,
    // The first three are the terminal whatever stands there.
    ...(launch.extraFds.length === 0 ? {} : { stdio: [null, null, null, ...launch.extraFds] }),
    terminal: {
      ...size,
      data: (_, bytes) => {
        if (ended) return;
        const held = listener.output("pty", bytes);
        if (held !== null) flow.holdUntil(held);
      },
      drain: () => keyboard.drained(),
      exit: end,
    },
    ...inCgroup(launch),
    onExit: (child, code, signal) => listener.exited(exitOf(code, signal), spentOf(child)),
  });
  const terminal = spawned.terminal!;
  keyboard.plugInto(terminal);
  flow.follow(spawned.pid);
  return {
    pid: spawned.pid,
    stdin: keyboard,
    stopReading: end,
    resize: ({ rows, cols }) => {
      if (!ended) terminal.resize(cols, rows);
    },
  };
}

/** What is typed. The runtime takes any amount, so the waiting is done here. */
class Keyboard implements ChildStdin {
  #terminal: Bun.Terminal | null = null;
  #waiting = 0;
  #room: (() => void)[] = [];

  plugInto(terminal: Bun.Terminal): void {
    this.#terminal = terminal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#terminal === null || this.#terminal.closed) return;
    this.#waiting += bytes.length;
    this.#terminal.write(bytes);
    if (this.#waiting > TYPED_AHEAD_BYTES) await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  finish(): void {
    void this.write(END_OF_FILE_KEY);
  }

  drained(): void {
    this.#waiting = 0;
    for (const resolve of this.#room.splice(0)) resolve();
  }

  end(): void {
    this.#terminal = null;
    this.drained();
  }
}

/**
 * Holds a terminal's output back. The runtime reads a terminal without asking, so the writer is stopped at the
 * other side, as Ctrl-S would: the child waits in its write.
 */
class TerminalFlow {
  #path: string | null = null;
  #holds = 0;

  follow(pid: number): void {
    if (!procIsOurs()) return; // nobody is held then, rather than a stranger
    try {
      // Read at once: later the leader may have put something else in its place.
      this.#path = readlinkSync(`/proc/${pid}/fd/0`);
    } catch {
      this.#path = null; // gone already; there is nobody to hold
    }
  }

  holdUntil(released: Promise<void>): void {
    this.#holds += 1;
    if (this.#holds === 1) this.#set("stop");
    released.then(() => {
      this.#holds -= 1;
      if (this.#holds === 0) this.#set("go");
    });
  }

  #set(flow: "stop" | "go"): void {
    if (this.#path === null) return;
    try {
      // Opened for this moment only: a slave end that stays open would keep the terminal from ending.
      const slave = openSync(this.#path, constants.O_RDWR | constants.O_NOCTTY);
      setTerminalFlow(slave, flow);
      closeSync(slave);
    } catch {
      this.#path = null; // the terminal has ended with its child
    }
  }
}
