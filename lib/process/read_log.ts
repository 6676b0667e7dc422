import type { Clock } from "../base/clock.ts";
import type { EventLog, LogPage } from "./event_log.ts";

export interface ReadOptions {
  readonly afterSeq: number;
  /** null is without limit. */
  readonly maxBytes: number | null;
  readonly waitMs: number;
}

/**
 * A page of a log, waiting up to `waitMs` for something newer than the cursor. Answers at once when it is
 * already there, and without a promise, so that the common case costs no turn of the event loop.
 * Resolves early, with what there is, when the caller gives up.
 */
export function readLog(
  log: EventLog,
  options: ReadOptions,
  clock: Clock,
  givenUp: AbortSignal,
): LogPage | Promise<LogPage> {
  const page = log.page(options.afterSeq, options.maxBytes);
  if (page instanceof Promise) return page; // what is on disk is there already
  if (options.waitMs <= 0 || givenUp.aborted || isNews(log, page, options.afterSeq)) return page;
  return new Promise((resolve) => {
    const finish = (found: LogPage | Promise<LogPage>) => {
      timer.cancel();
      unwatch();
      givenUp.removeEventListener("abort", leave);
      resolve(found);
    };
    const leave = () => finish(log.page(options.afterSeq, options.maxBytes));
    const unwatch = log.watch(() => {
      const next = log.page(options.afterSeq, options.maxBytes);
      if (next instanceof Promise || isNews(log, next, options.afterSeq)) finish(next);
    });
    const timer = clock.after(options.waitMs, leave);
    givenUp.addEventListener("abort", leave);
  });
}

function isNews(log: EventLog, page: LogPage, afterSeq: number): boolean {
  if (page.chunks.length > 0 || log.closed !== null || log.failed !== null) return true;
  return log.exited !== null && afterSeq < page.nextSeq - 1;
}
