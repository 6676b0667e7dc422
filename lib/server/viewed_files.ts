import type { FileSystem, Soon } from "../fs/file_system.ts";
import { beneath } from "../fs/local/beneath.ts";
import { filesOf } from "../fs/local/local_file_system.ts";
import type { Rules } from "../sandbox/rules.ts";
import { ofThisProgram } from "../sandbox/sandboxed_start.ts";
import type { PinnedView } from "../sandbox/view.ts";
import { Views } from "../sandbox/views.ts";

/** Files as sandboxes see them. */
export interface ViewedFiles {
  /** Fails with an UnenforceableError. */
  use<T>(rules: Rules, act: (files: FileSystem) => Soon<T>): Soon<T>;
  /** What is not in use is closed, the rest when it no longer is. */
  close(): void;
}

export async function openViewedFiles(): Promise<ViewedFiles> {
  const sandbox = await ofThisProgram();
  const views = new Views(() => sandbox.support());
  // Nothing of them is to be left in anybody's workspace.
  process.once("exit", () => views.abandon());
  const files = new WeakMap<PinnedView, FileSystem>();
  const filesIn = (view: PinnedView) => {
    const known = files.get(view);
    if (known !== undefined) return known;
    const made = filesOf(beneath({ fd: view.root, masks: view.masks }));
    files.set(view, made);
    return made;
  };
  return {
    use: (rules, act) => views.use(rules, (view) => act(filesIn(view))),
    close: () => views[Symbol.dispose](),
  };
}
