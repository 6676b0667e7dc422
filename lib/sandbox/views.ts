import { holdView } from "./hold.ts";
import type { Rules } from "./rules.ts";
import type { Support } from "./support.ts";
import { UnenforceableError } from "./unenforceable.ts";
import type { PinnedView } from "./view.ts";

/** Kept for the next call with the same rules, those in use not counted. Each has some descriptors. */
const MAX_KEPT = 8;
/** Nobody wanted it for so long: its descriptors may go. */
const IDLE_MS = 2_000;
/** The same for one with mask points, which others see on the host: calls of one turn come closer together. */
const HOLDING_IDLE_MS = 20;

interface Kept {
  readonly key: string;
  readonly built: Promise<PinnedView>;
  /** null while it is being built. */
  view: PinnedView | null;
  users: number;
  /** When nobody wanted it any more, if it is not used again. */
  endsAt: number;
}

/** The views of a server: one for all calls with the same rules, as long as it shows what it should. */
export class Views implements Disposable {
  /** The one used last comes last. */
  readonly #kept = new Map<string, Kept>();
  /** Those kept, and those that are still in use. */
  readonly #open = new Set<PinnedView>();
  #timer: { readonly timer: ReturnType<typeof setTimeout>; readonly at: number } | null = null;

  constructor(
    private readonly support: () => Promise<Pick<Support, "mechanism" | "failing">>,
    private readonly idleMs = IDLE_MS,
  ) {}

  /** Does something with the view, at once where it stands. Fails with an UnenforceableError where there can be none. */
  use<T>(rules: Rules, act: (view: PinnedView) => T | Promise<T>): T | Promise<T> {
    const kept = this.#current(keyOf(rules), rules);
    kept.users++;
    if (kept.view !== null) return this.#useOnce(kept, kept.view, act);
    return kept.built.then((view) => this.#useOnce(kept, view, act), (error) => {
      this.#forget(kept);
      throw error;
    });
  }

  #useOnce<T>(kept: Kept, view: PinnedView, act: (view: PinnedView) => T | Promise<T>): T | Promise<T> {
    let result: T | Promise<T> | null = null;
    try {
      result = act(view);
      return result instanceof Promise ? result.finally(() => this.#leave(kept)) : result;
    } finally {
      if (!(result instanceof Promise)) this.#leave(kept);
    }
  }

  #current(key: string, rules: Rules): Kept {
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      if (known.view?.isCurrent() ?? true) {
        this.#kept.set(key, known);
        return known;
      }
      this.#closeUnused(known);
    }
    const kept: Kept = { key, built: this.#build(rules), view: null, users: 0, endsAt: 0 };
    void kept.built.then((view) => kept.view = view, () => {});
    this.#kept.set(key, kept);
    for (const oldest of this.#kept.values()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#forget(oldest);
    }
    return kept;
  }

  async #build(rules: Rules): Promise<PinnedView> {
    const { mechanism, failing } = await this.support();
    if (mechanism === null) throw new UnenforceableError(failing ?? "no namespaces");
    const view = await holdView(rules, mechanism);
    this.#open.add(view);
    return view;
  }

  #leave(kept: Kept): void {
    kept.users--;
    if (this.#kept.get(kept.key) !== kept) return this.#closeUnused(kept);
    const idleMs = kept.view?.holdsPlaces ? Math.min(HOLDING_IDLE_MS, this.idleMs) : this.idleMs;
    kept.endsAt = performance.now() + idleMs;
    if (this.#timer !== null && this.#timer.at <= kept.endsAt) return;
    this.#stopTimer();
    this.#closeIdleAt(kept.endsAt);
  }

  #forget(kept: Kept): void {
    if (this.#kept.get(kept.key) === kept) this.#kept.delete(kept.key);
    this.#closeUnused(kept);
  }

  #closeUnused({ users, view }: Kept): void {
    if (users > 0 || view === null) return;
    this.#open.delete(view);
    view.close();
  }

  #closeIdleAt(at: number): void {
    const timer = setTimeout(() => {
      this.#timer = null;
      const now = performance.now();
      const idle = [...this.#kept.values()].filter(({ users, view }) => users === 0 && view !== null);
      for (const kept of idle) if (kept.endsAt <= now) this.#forget(kept);
      const next = Math.min(...idle.map(({ endsAt }) => endsAt).filter((endsAt) => endsAt > now));
      if (next < Infinity) this.#closeIdleAt(next);
    }, Math.max(1, Math.ceil(at - performance.now())));
    timer.unref();
    this.#timer = { timer, at };
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer.timer);
    this.#timer = null;
  }

  /** Those in use are closed when they no longer are. */
  [Symbol.dispose](): void {
    for (const kept of [...this.#kept.values()]) this.#forget(kept);
    this.#stopTimer();
  }

  /** At the end of the program: those in use too. */
  abandon(): void {
    for (const view of this.#open) view.close();
  }
}

/**
 * Rules with the same key ask for the same view. A protected name that is missing becomes an empty directory while
 * its view is there, and is then found: whether what is shown of it is still right is for the view to say.
 */
function keyOf({ view, mounts, links }: Rules): string {
  const lines: string[] = [view];
  for (const { kind, path } of mounts) lines.push(`${kind === "absent" ? "read" : kind} ${path}`);
  for (const { path, target } of links) lines.push(`link ${path}\0${target}`);
  return lines.join("\0");
}
