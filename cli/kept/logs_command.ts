import type { LogFound, LogQuery } from "../../lib/process/kept_processes.ts";
import type { Stream } from "../../lib/process/process_event.ts";
import type { Flags } from "../command.ts";
import { EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { Notices } from "../run/notices.ts";
import { plainOutput } from "../run/plain_output.ts";
import { processCalled, withKept } from "./open_kept.ts";

/** How long one question waits for news there; then it is asked again. */
const NEWS_MS = 30_000;
const STREAMS: readonly Stream[] = ["stdout", "stderr", "pty"];

/** `logs`: what a kept process printed, searched where it is. Each stream goes to ours of the same name. */
export function logsCommand(flags: Flags, [ref, more]: readonly string[]): Promise<ExitStatus> {
  if (ref === undefined) throw usageError("no process named", "logs");
  if (more !== undefined) throw usageError(`unexpected word ${more}`, "logs");
  if (flags.has("head") && flags.has("tail")) {
    throw usageError("--head and --tail exclude each other", "logs");
  }
  const asked = queryIn(flags);
  const follows = flags.has("follow");
  const notices = new Notices({ quiet: false, verbose: false, color: "auto" });
  return withKept(flags, "logs", EXIT.failed, async ({ kept }) => {
    const { processId } = processCalled(ref, await kept.list(), EXIT.failed);
    let left = asked.head ?? Infinity;
    let query: LogQuery = { ...asked, ...(follows ? { follow: true } : {}) };
    while (true) {
      const found = await kept.logs(processId, query);
      if (found.isCut) notices.say("not all of the last lines fit into one answer: older ones are left out");
      await show(found, notices);
      left -= found.chunks.length;
      const isOver = asked.head === undefined ? !found.more : left <= 0 || !found.more;
      if (isOver && (!follows || left <= 0 || (found.process.state === "closed" && !found.more))) {
        return EXIT.ok;
      }
      const { tail: _tail, sinceSeq: _sinceSeq, ...rest } = asked;
      query = {
        ...rest,
        from: found.place,
        ...(asked.head === undefined ? {} : { head: left }),
        ...(follows ? { follow: true, waitMs: NEWS_MS } : {}),
      };
    }
  });
}

/** In the order of what was printed, with what is missing in its place. */
async function show({ chunks, gaps }: LogFound, notices: Notices): Promise<void> {
  let next = 0;
  for (const { seq, stream, bytes } of chunks) {
    for (; next < gaps.length && gaps[next]!.toSeq < seq; next++) sayGap(gaps[next]!.bytes, notices);
    await plainOutput.output(stream, bytes);
  }
  for (; next < gaps.length; next++) sayGap(gaps[next]!.bytes, notices);
}

function sayGap(bytes: number | null, notices: Notices): void {
  notices.say(`${bytes === null ? "some" : `${bytes} bytes`} of its output is missing: not kept any more`);
}

function queryIn(flags: Flags): LogQuery {
  const head = count(flags, "head");
  const tail = count(flags, "tail");
  const sinceSeq = count(flags, "since");
  const grep = flags.text("grep");
  const stream = flags.text("stream");
  const known = STREAMS.find((name) => name === stream);
  if (stream !== undefined && known === undefined) {
    throw usageError(`option --stream takes ${STREAMS.join(", ")}, not "${stream}"`, "logs");
  }
  return {
    ...(head === null ? {} : { head }),
    ...(tail === null ? {} : { tail }),
    ...(sinceSeq === null ? {} : { sinceSeq }),
    ...(grep === undefined ? {} : { grep }),
    ...(known === undefined ? {} : { stream: known }),
  };
}

function count(flags: Flags, name: string): number | null {
  const text = flags.text(name);
  if (text === undefined) return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(`option --${name} takes a number, not "${text}"`, "logs");
}
