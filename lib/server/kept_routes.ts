import { nextTurn, turnIsOver } from "../fs/local/turns.ts";
import { PatternError } from "../process/search/pattern_syntax.ts";
import { type Found, searchLog, type SearchPlace } from "../process/search/search_log.ts";
import { whenLog } from "../process/when_log.ts";
import type { ParamsOf } from "../wire/methods.ts";
import { LOGS_BYTES, namedBy } from "../wire/processes_v1_messages.ts";
import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import type { Caller } from "./caller.ts";
import type { Kept } from "./kept_processes.ts";
import { foundInWords, keptInWords } from "./kept_words.ts";
import type { Routes } from "./route.ts";

/** What is found at once where nobody says how much. */
const USUAL_BYTES = 1024 * 1024;

/** `processes.v1`: processes that outlive the session that started them. */
export const keptRoutes: Pick<
  Routes,
  "process/list" | "process/attach" | "process/detach" | "process/wait" | "process/logs"
> = {
  "process/list"({ labels }, { session, clock, agreed }) {
    const wanted = Object.entries(labels ?? {});
    const processes = session.seat.list()
      .filter(({ keep }) => wanted.every(([key, value]) => keep.labels[key] === value))
      .map((kept) => keptInWords(kept, clock.now(), agreed));
    return () => ({ processes });
  },

  "process/attach"(params, { session, clock, agreed }) {
    const kept = keptBy(params, session);
    const afterSeq = params.afterSeq ?? 0;
    const { tell } = session.attach(kept, afterSeq, params.write);
    return () => {
      tell();
      const process = keptInWords(kept, clock.now(), agreed);
      return {
        process,
        afterSeq: Math.min(afterSeq, process.nextSeq - 1),
        writer: session.seat.writesTo(kept),
      };
    };
  },

  "process/detach"({ processId }, { session }) {
    session.detachKept(keptBy({ processId, name: null }, session));
    return () => ({});
  },

  async "process/wait"(params, { session, clock, agreed, gone }) {
    const kept = keptBy(params, session);
    const { log } = kept.process;
    await whenLog(log, () => log.exited !== null, params.waitMs ?? 0, clock, gone);
    return () => ({ process: keptInWords(kept, clock.now(), agreed) });
  },

  async "process/logs"(params, caller) {
    const { session, clock, agreed, gone } = caller;
    const kept = keptBy(params, session);
    if (params.head !== null && params.tail !== null) {
      throw new WireError(INVALID_PARAMS, "head and tail exclude each other");
    }
    const { log } = kept.process;
    const until = clock.now() + (params.waitMs ?? 0);
    let from = placeIn(params);
    while (true) {
      const found = await search(kept, params, from, caller);
      const leftMs = until - clock.now();
      const isNews = found.chunks.length > 0 || found.gaps.length > 0 || found.more;
      if (isNews || log.closed !== null || leftMs <= 0 || gone.aborted) {
        return () => foundInWords(found, keptInWords(kept, clock.now(), agreed));
      }
      from = found.place;
      const { afterSeq } = from;
      await whenLog(log, () => log.nextSeq - 1 > afterSeq, leftMs, clock, gone);
    }
  },
};

function keptBy(
  params: { readonly processId: string | null; readonly name: string | null },
  { seat }: Caller["session"],
): Kept {
  const named = namedBy(params);
  const kept = "name" in named ? seat.named(named.name) : seat.find(named.processId);
  if (kept !== undefined) return kept;
  throw new WireError(
    INVALID_REQUEST,
    "name" in named ? `no kept process named ${named.name}` : `no kept process ${named.processId}`,
  );
}

/** `cursor` is where an answer ended, `sinceSeq` the first event that is wanted. */
function placeIn({ cursor, sinceSeq }: ParamsOf<"process/logs">): SearchPlace {
  if (cursor === null) return { afterSeq: Math.max(0, (sinceSeq ?? 1) - 1) };
  const { afterSeq, stdout, stderr, pty } = cursor;
  return {
    afterSeq,
    ...(stdout === null ? {} : { stdout }),
    ...(stderr === null ? {} : { stderr }),
    ...(pty === null ? {} : { pty }),
  };
}

/** In turns with everybody else, and one at a time of each connection. */
async function search(
  { process }: Kept,
  { head, tail, stream, grep, limit, follow }: ParamsOf<"process/logs">,
  from: SearchPlace,
  { searches, gone }: Caller,
): Promise<Found> {
  const giveBack = await searches.take(gone);
  try {
    return await searchLog(process.log, {
      ...{ from, stream, grep, head, tail, follow },
      limit: Math.min(limit ?? USUAL_BYTES, LOGS_BYTES),
      breathe: () => turnIsOver() ? nextTurn() : null,
      givenUp: gone,
    });
  } catch (error) {
    if (error instanceof PatternError) {
      throw new WireError(INVALID_PARAMS, `cannot search for that: ${error.message}`);
    }
    throw error;
  } finally {
    giveBack();
  }
}
