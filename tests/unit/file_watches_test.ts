import { describe, expect, test } from "bun:test";
import type { Change, FileSystem, Watch } from "../../lib/fs/file_system.ts";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import { Outbox } from "../../lib/rpc/outbox.ts";
import { FileWatches } from "../../lib/server/file_watches.ts";
import { ManualTransport } from "../support/manual_transport.ts";

/** Files whose changes are the test's to tell. */
function scripted() {
  const watches: { tell(change: Change): void; isStopped: boolean }[] = [];
  const begun: PromiseWithResolvers<void>[] = [];
  const files: FileSystem = {
    ...localFileSystem,
    async watch(_path, onChange): Promise<Watch> {
      const watch = { tell: onChange, isStopped: false };
      watches.push(watch);
      const beginning = Promise.withResolvers<void>();
      begun.push(beginning);
      await beginning.promise;
      return { stop: () => void (watch.isStopped = true) };
    },
  };
  return { files, watches, begun };
}

const change = (...names: string[]): Change => ({ names, overflow: false, ended: false });

function connection() {
  const transport = new ManualTransport();
  const outbox = new Outbox(transport);
  transport.receive({ message() {}, heard() {}, drained: () => outbox.drained(), ended() {} });
  const told = () => transport.sent.map((text) => JSON.parse(text).params);
  return { transport, watches: new FileWatches(outbox), told };
}

describe("file watches", () => {
  test("tell nothing before the answer, and what came before it after it", async () => {
    const { watches: system, begun, files } = scripted();
    const { watches, told } = connection();
    const set = watches.set(files, 1, "/a");
    system[0]!.tell(change("early"));
    begun[0]!.resolve();
    expect(await set).toBe(true);
    system[0]!.tell(change("later"));
    expect(told()).toEqual([]);
    watches.answered(1);
    await Promise.resolve();
    expect(told()).toEqual([{ watchId: 1, ...change("early", "later") }]);
  });

  test("tell a slow reader together what happened meanwhile", async () => {
    const { watches: system, begun, files } = scripted();
    const { watches, told, transport } = connection();
    for (const id of [1, 2]) {
      const set = watches.set(files, id, "/a");
      begun.at(-1)!.resolve();
      await set;
      watches.answered(id);
    }
    await Promise.resolve();
    transport.isFull = true;
    for (let i = 0; i < 3; i++) system[0]!.tell(change(`${i}`));
    system[1]!.tell({ ...change(), ended: true });
    expect(told()).toEqual([]);
    transport.drain(1);
    expect(told()).toEqual([{ watchId: 1, ...change("0", "1", "2") }]);
    transport.drain(1);
    expect(told()[1]).toEqual({ watchId: 2, ...change(), ended: true });
  });

  test("stop what is not wanted any more, also while it begins", async () => {
    const { watches: system, begun, files } = scripted();
    const { watches } = connection();
    const beginning = watches.set(files, 1, "/a");
    watches.stop(1);
    begun[0]!.resolve();
    expect(await beginning).toBe(false);
    const other = watches.set(files, 1, "/a");
    const last = watches.set(files, 2, "/a");
    begun[1]!.resolve();
    expect(await other).toBe(true);
    watches.end();
    begun[2]!.resolve();
    expect(await last).toBe(false);
    expect(system.map(({ isStopped }) => isStopped)).toEqual([true, true, true]);
  });
});
