import type { Arrow } from "./imports.ts";

/** One circle for each arrow that leads back to a file on the way to it, written as `a -> b -> a`. */
export function circles(arrows: readonly Arrow[]): string[] {
  const next = Map.groupBy(arrows, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];

  function walk(file: string, way: readonly string[]): void {
    const start = way.indexOf(file);
    if (start >= 0) {
      found.push([...way.slice(start), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    for (const { to } of next.get(file) ?? []) walk(to, [...way, file]);
    done.add(file);
  }

  for (const file of next.keys()) walk(file, []);
  return found;
}
