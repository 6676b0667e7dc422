import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { type BytePath, bytePathOf, isWithin, upwards } from "../../lib/sandbox/byte_path.ts";
import type { Access, Entry, Intent, SpecialPath } from "../../lib/sandbox/intent.ts";
import { resolveRules } from "../../lib/sandbox/policy.ts";
import type { Rules } from "../../lib/sandbox/rules.ts";
import { UnenforceableError } from "../../lib/sandbox/unenforceable.ts";

/** A real directory with real files, and what a sandbox would make of it. */
export class SandboxTree implements Disposable {
  readonly root: BytePath = bytePathOf(realpathSync(mkdtempSync(`${tmpdir()}/sandbox-tree-`)));

  /** Paths: one that ends with a slash is a directory, one with an arrow (`a -> b`) a symlink, others are files. */
  constructor(...paths: string[]) {
    for (const path of paths) this.add(path);
  }

  add(path: string, text = ""): void {
    const [name = "", target] = path.split(" -> ");
    const at = this.at(name);
    mkdirSync(at.endsWith("/") ? at : at.slice(0, at.lastIndexOf("/")), { recursive: true });
    if (target !== undefined) symlinkSync(target, at);
    else if (!at.endsWith("/")) writeFileSync(at, text);
  }

  at(name: string): BytePath {
    return name === "" ? this.root : `${this.root}/${name}`;
  }

  path(name: string, access: Access): Entry {
    return { path: { kind: "path", path: this.at(name) }, access, skipIfMissing: false };
  }

  /** With `w` as the only workspace root and the cwd, unless said otherwise. */
  intent(entries: readonly Entry[], more: Partial<Intent> & { globScanMaxDepth?: number } = {}): Intent {
    const { globScanMaxDepth = null, ...rest } = more;
    return {
      files: { type: "restricted", entries, globScanMaxDepth },
      network: "restricted",
      workspaceRoots: [this.at("w")],
      cwd: this.at("w"),
      ...rest,
    };
  }

  /** Of entries without patterns. */
  rules(entries: readonly Entry[], more: Parameters<SandboxTree["intent"]>[1] = {}, env = {}): Rules {
    const rules = resolveRules(this.intent(entries, more), env);
    if (rules instanceof Promise) throw new Error("Patterns take a while: ask for what is found");
    return rules;
  }

  /** As `rules()`, of entries with patterns too. */
  async found(entries: readonly Entry[], more: Parameters<SandboxTree["intent"]>[1] = {}): Promise<Rules> {
    return await resolveRules(this.intent(entries, more), {});
  }

  async foundMounts(
    entries: readonly Entry[],
    more: Parameters<SandboxTree["intent"]>[1] = {},
  ): Promise<string[]> {
    return this.#shown(await this.found(entries, more));
  }

  async foundRefusal(
    entries: readonly Entry[],
    more: Parameters<SandboxTree["intent"]>[1] = {},
  ): Promise<string> {
    try {
      await this.found(entries, more);
    } catch (error) {
      return this.#refusalIn(error);
    }
    throw new Error("Not refused");
  }

  /** The mounts in this tree in short: `kind name`, for `absent` names too. */
  mounts(entries: readonly Entry[], more: Parameters<SandboxTree["intent"]>[1] = {}, env = {}): string[] {
    return this.#shown(this.rules(entries, more, env));
  }

  #shown({ mounts }: Rules): string[] {
    return mounts
      .filter(({ path }) => isWithin(path, this.root))
      .map(({ kind, path }) => `${kind} ${this.#short(path)}`);
  }

  /** Why it cannot be enforced, with the names of this tree. */
  refusal(entries: readonly Entry[], more: Parameters<SandboxTree["intent"]>[1] = {}, env = {}): string {
    try {
      this.rules(entries, more, env);
    } catch (error) {
      return this.#refusalIn(error);
    }
    throw new Error("Not refused");
  }

  #refusalIn(error: unknown): string {
    if (error instanceof UnenforceableError) return error.message.replaceAll(`${this.root}/`, "");
    throw error;
  }

  #short(path: BytePath): string {
    return path.slice(this.root.length + 1) || ".";
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

export function special(kind: SpecialPath, access: Access, subpath: string | null = null): Entry {
  return { path: { kind: "special", special: kind, subpath }, access, skipIfMissing: false };
}

export function glob(pattern: string, access: Access = "deny"): Entry {
  return {
    path: { kind: "glob", pattern: Buffer.from(pattern).toString("latin1") },
    access,
    skipIfMissing: false,
  };
}

/** What may be done at the path when the mounts are made one after the other, the later over the earlier. */
export function accessByMounts(rules: Rules, path: BytePath): Access {
  let access: Access = rules.view === "minimal" ? "deny" : rules.view === "whole-read" ? "read" : "write";
  for (const mount of rules.mounts) {
    if (![...upwards(path)].includes(mount.path)) continue;
    if (mount.kind === "read" || mount.kind === "write") access = mount.kind;
    else access = mount.kind === "absent" ? "read" : "deny";
  }
  return access;
}
