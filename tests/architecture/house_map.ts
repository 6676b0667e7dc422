import type { Arrow } from "./imports.ts";
import { readProjectFile } from "./project_files.ts";

/** Every room, and the rooms it may see. */
export type HouseMap = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads the table of rooms: the map for people is the map for the test. */
export function parseMap(markdown: string): HouseMap {
  const rows = markdown.matchAll(/^\| `([^`]+)`[^|]*\|[^|]*\|([^|]*)\|$/gm);
  return new Map(
    [...rows].map(([, room = "", seen = ""]) => {
      const names = [...seen.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? []);
      return [room, new Set(names)];
    }),
  );
}

export async function houseMap(): Promise<HouseMap> {
  return parseMap(await readProjectFile("lib/README.md"));
}

/** The room of a file: the innermost one on the map around it. */
export function roomOf(file: string, map: HouseMap): string | undefined {
  const around = [...map.keys()].filter((room) => file === room || file.startsWith(`${room}/`));
  return around.sort((a, b) => b.length - a.length)[0];
}

/** A sentence for each arrow that the map does not draw. */
export function wrongArrows(arrows: readonly Arrow[], map: HouseMap): string[] {
  return arrows.flatMap(({ from, to }) => {
    const [source, target] = [roomOf(from, map), roomOf(to, map)];
    if (source === undefined) return `${from} is in no room of lib/README.md`;
    if (target === undefined) return `${from} -> ${to}, which is in no room of lib/README.md`;
    if (source === target || map.get(source)?.has(target)) return [];
    return `${from} -> ${to}: ${source} may not see ${target}`;
  });
}
