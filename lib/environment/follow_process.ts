import type { ProcessHandle } from "../process/backend.ts";
import type { FailedEvent, ProcessEvent } from "../process/process_event.ts";

/**
 * Everything a process does from now on, in order, `closed` or `failed` last. Whoever iterates slowly slows the
 * process down and loses nothing; whoever stops early lets it go on.
 */
export async function* followProcess(process: ProcessHandle): AsyncGenerator<ProcessEvent | FailedEvent> {
  let wake = () => {};
  const follower = process.log.follow(0, () => wake());
  try {
    while (true) {
      const news = new Promise<void>((resolve) => (wake = resolve));
      for (let event = follower.take(); event !== null; event = follower.take()) {
        yield event;
        if (event.type === "closed") return;
      }
      const failure = follower.failure();
      if (failure !== null) {
        yield failure;
        return;
      }
      await news;
    }
  } finally {
    follower.leave();
  }
}
