import type { Outbox } from "../rpc/outbox.ts";
import { FileHandles } from "./file_handles.ts";
import { FileOrder } from "./file_order.ts";
import { MissingWatches } from "./missing_watches.ts";
import { ReadAllowance } from "./read_allowance.ts";

/** What one connection has to do with files. None of it outlives the connection, resumed or not. */
export class ConnectionFiles {
  readonly order = new FileOrder();
  readonly handles = new FileHandles();
  readonly watches: MissingWatches;
  readonly allowance: ReadAllowance;

  constructor(outbox: Outbox) {
    this.watches = new MissingWatches(outbox);
    this.allowance = new ReadAllowance(outbox);
  }

  end(): void {
    this.watches.end();
    this.allowance.end();
    for (const handle of this.handles.end()) {
      // A descriptor that is still being read must not become another file's.
      void this.order.run([{ handle }], () => this.handles.close(handle));
    }
  }
}
