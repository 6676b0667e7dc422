import type { Launch } from "./child.ts";

/** The spawn option of the runtime for it, which puts the child there before it runs. The types do not know it yet. */
export function inCgroup({ cgroup }: Launch): { readonly cgroup?: string } {
  return cgroup === null ? {} : { cgroup };
}
