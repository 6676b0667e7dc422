import { readdirSync, readlinkSync } from "node:fs";
import { systemClock } from "../../lib/base/clock.ts";
import type { StartOptions } from "../../lib/process/backend.ts";
import { LocalBackend } from "../../lib/process/local/local_backend.ts";
import type { LocalProcess } from "../../lib/process/local/local_process.ts";
import { untilTrue } from "./peer_deadline.ts";

let count = 0;

/** A start of `sh -c script` with nothing in its environment but where the usual programs are. */
export function shell(script: string, more: Partial<StartOptions> = {}): StartOptions {
  count += 1;
  return {
    processId: `p${count}`,
    argv: ["/bin/sh", "-c", script],
    arg0: null,
    cwd: "/",
    env: { PATH: "/usr/bin:/bin" },
    envPolicy: null,
    tty: false,
    pipeStdin: false,
    size: null,
    terminalSignalExit: "one",
    ...more,
  };
}

/** A backend on real time; disposing it ends every process. */
export function localBackend(): LocalBackend {
  return new LocalBackend(systemClock);
}

const never = new AbortController().signal;

/** Everything that a process printed and that is still kept, once the text satisfies the condition or it has closed. */
export async function outputOf(
  process: LocalProcess,
  until: (text: string) => boolean = () => false,
): Promise<string> {
  for (let afterSeq = 0;;) {
    const { chunks } = await process.log.page(0, null);
    const text = chunks.map(({ bytes }) => Buffer.from(bytes).toString()).join("");
    if (until(text) || process.log.closed !== null) return text;
    const page = await process.read({ afterSeq, maxBytes: null, waitMs: 60_000 }, never);
    afterSeq = page.nextSeq - 1;
  }
}

/** Every pipe and terminal that this program holds an end of. */
export function openEnds(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const to = readlinkSync(`/proc/self/fd/${fd}`);
      return /^pipe:|ptmx|pts/.test(to) ? [to] : [];
    } catch {
      return []; // the descriptor of this very listing
    }
  });
}

/** Waits until every pipe that was opened since is closed. */
export async function untilClosedAgain(before: readonly string[]): Promise<void> {
  // By name, for pipes are told apart; a terminal's name is given again, so those are counted.
  const isNew = (end: string) => end.startsWith("pipe:") && !before.includes(end);
  const terminals = (ends: readonly string[]) => ends.filter((end) => !end.startsWith("pipe:")).length;
  await untilTrue(() => {
    const now = openEnds();
    return !now.some(isNew) && terminals(now) <= terminals(before);
  }, "our ends to be closed");
}
