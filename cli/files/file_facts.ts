import { type BytePath, join, nativePath, shownPath } from "./byte_path.ts";
import type { Facts, Side } from "./side.ts";

/** A name and what stands there. */
export interface Named {
  readonly name: BytePath;
  readonly facts: Facts;
}

const LETTERS = { file: "-", directory: "d", link: "l", other: "?" } as const;

/** Lines as `ls -l` has them; a place that does not tell modes shows only what kind it is. */
export function factLines(named: readonly Named[]): string {
  const rows = named.map(({ name, facts }) => [
    (facts.isLink ? "l" : LETTERS[facts.kind]) + (facts.mode === null ? "" : modeText(facts.mode)),
    String(facts.size),
    timeOf(facts.modifiedAtMs),
    shownPath(name) + (facts.linkTarget === null ? "" : ` -> ${shownPath(facts.linkTarget)}`),
  ]);
  const width = Math.max(0, ...rows.map(([, size]) => size!.length));
  return rows.map(([kind, size, time, name]) => `${kind}  ${size!.padStart(width)}  ${time}  ${name}\n`).join(
    "",
  );
}

/** One line of JSON each. */
export function factObject({ name, facts }: Named): Record<string, unknown> {
  const { kind, isLink, size, modifiedAtMs, mode, links, linkTarget } = facts;
  return {
    ...jsonPath("name", name),
    kind,
    isLink,
    size,
    modifiedAtMs,
    ...(mode === null ? {} : { mode: modeDigits(mode) }),
    ...(links === null ? {} : { links }),
    ...(linkTarget === null ? {} : jsonPath("linkTarget", linkTarget)),
  };
}

export function jsonTimes({ accessedAtMs, createdAtMs }: Facts): Record<string, unknown> {
  return { ...(accessedAtMs === null ? {} : { accessedAtMs }), createdAtMs };
}

/** What `stat` tells, a line each. */
export function factRows(path: BytePath, facts: Facts): readonly (readonly [string, string])[] {
  const { kind, isLink, size, mode, links, linkTarget, accessedAtMs } = facts;
  return [
    ["path", shownPath(path)],
    ["kind", isLink && kind !== "link" ? `link to a ${kind}` : kind],
    ...(linkTarget === null ? [] : [["target", shownPath(linkTarget)]] as const),
    ["size", String(size)],
    ["modified", fullTime(facts.modifiedAtMs)],
    ...(accessedAtMs === null ? [] : [["accessed", fullTime(accessedAtMs)]] as const),
    // 0 stands for a file system that does not remember it.
    ...(facts.createdAtMs === 0 ? [] : [["created", fullTime(facts.createdAtMs)]] as const),
    ["mode", mode === null ? "not told" : `${modeDigits(mode)} ${modeText(mode)}`],
    ...(links === null ? [] : [["links", String(links)]] as const),
  ];
}

function fullTime(ms: number): string {
  return `${timeOf(ms)} (${new Date(ms).toISOString()})`;
}

function modeDigits(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** `{name}` where it is text, else `{nameBase64}`. */
export function jsonPath(key: string, path: BytePath): Record<string, string> {
  const native = nativePath(path);
  return typeof native === "string"
    ? { [key]: native }
    : { [`${key}Base64`]: Buffer.from(native).toString("base64") };
}

/** 0o4755 → `rwsr-xr-x`. */
export function modeText(mode: number): string {
  const bits = [...mode.toString(2).padStart(12, "0").slice(-9)].map((bit, at) =>
    bit === "1" ? "rwx"[at % 3]! : "-"
  );
  const special = [[0o4000, 2, "s"], [0o2000, 5, "s"], [0o1000, 8, "t"]] as const;
  for (const [bit, at, letter] of special) {
    if ((mode & bit) !== 0) bits[at] = bits[at] === "x" ? letter : letter.toUpperCase();
  }
  return bits.join("");
}

/** In the user's own time, as `ls` shows it. */
export function timeOf(ms: number): string {
  const date = new Date(ms);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What is in a directory, by name, with what is known of each. */
export async function factsIn(
  side: Side,
  directory: BytePath,
): Promise<{ named: Named[]; unnamable: readonly string[] }> {
  const { names, unnamable, known } = await side.listFacts(directory);
  const sorted = [...names].sort();
  const named: Named[] = [];
  for (let at = 0; at < sorted.length; at += ASKED_AT_ONCE) {
    const asked = sorted.slice(at, at + ASKED_AT_ONCE).map(async (name) => ({
      name,
      facts: known.get(name) ?? await side.look(join(directory, name)),
    }));
    for (const { name, facts } of await Promise.all(asked)) if (facts !== null) named.push({ name, facts });
  }
  return { named, unnamable };
}

const ASKED_AT_ONCE = 16;
