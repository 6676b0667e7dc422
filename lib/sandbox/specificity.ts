import { type BytePath, upwards } from "./byte_path.ts";
import type { Access } from "./intent.ts";

/** At the same path the stronger one is meant. */
const STRENGTH: Readonly<Record<Access, number>> = { read: 0, write: 1, deny: 2 };

export function stronger(one: Access, other: Access): Access {
  return STRENGTH[one] >= STRENGTH[other] ? one : other;
}

/** Who may do what where: of all that hold a path the most specific decides, and nothing is allowed by itself. */
export class AccessTable {
  readonly #rules = new Map<BytePath, Access>();

  get rules(): ReadonlyMap<BytePath, Access> {
    return this.#rules;
  }

  /** What a client says about a path; what it says twice adds up as deny > write > read. */
  claim(path: BytePath, access: Access): void {
    const before = this.#rules.get(path);
    this.#rules.set(path, before === undefined ? access : stronger(before, access));
  }

  /** The path of the rule that decides. */
  decides(path: BytePath): BytePath | null {
    for (const at of upwards(path)) if (this.#rules.has(at)) return at;
    return null;
  }

  accessTo(path: BytePath): Access {
    const at = this.decides(path);
    return (at === null ? null : this.#rules.get(at)) ?? "deny";
  }

  isWritable(path: BytePath): boolean {
    return this.accessTo(path) === "write";
  }

  /** Whether something other than the view's beginning was said about it. */
  isSpoken(path: BytePath): boolean {
    const at = this.decides(path);
    return at !== null && !(at === "/" && this.#rules.get(at) === "deny");
  }

  /** Takes the writing away where nobody asked for it by this name. What is hidden stays so. */
  protect(path: BytePath): void {
    if (!this.#rules.has(path) && this.isWritable(path)) this.#rules.set(path, "read");
  }
}
