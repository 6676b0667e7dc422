import type { Outbox } from "../rpc/outbox.ts";
import { FileHandles } from "./file_handles.ts";
import { FileOrder, type Touched } from "./file_order.ts";
import { FileWatches } from "./file_watches.ts";
import { MissingWatches } from "./missing_watches.ts";
import { ReadAllowance } from "./read_allowance.ts";

/** What one connection has to do with files. None of it outlives the connection, resumed or not. */
export class ConnectionFiles {
  readonly order = new FileOrder();
  readonly handles = new FileHandles();
  readonly watches: MissingWatches;
  readonly fileWatches: FileWatches;
  readonly allowance: ReadAllowance;

  constructor(outbox: Outbox) {
    this.watches = new MissingWatches(outbox);
    this.fileWatches = new FileWatches(outbox);
    this.allowance = new ReadAllowance(outbox);
  }

  /** A handle, and the file that it was opened for. */
  readonly behind = (handle: string): Touched[] => {
    const open = this.handles.find(handle);
    return open === undefined ? [{ handle }] : [{ handle }, { path: open.path, changes: open.changes }];
  };

  end(): void {
    this.watches.end();
    this.fileWatches.end();
    this.allowance.end();
    for (const handle of this.handles.end()) {
      // A descriptor that is still being read must not become another file's.
      void this.order.run([{ handle }], () => this.handles.close(handle));
    }
  }
}
