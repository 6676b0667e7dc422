import { expect } from "bun:test";

export type CastEvent = readonly [interval: number, code: string, data: string];

export interface Cast {
  readonly header: Record<string, unknown>;
  readonly events: readonly CastEvent[];
  /** All that was shown. */
  readonly output: string;
}

/** Reads a recording as strictly as the format allows: whole lines, times that never run backwards. */
export function parseCast(text: string): Cast {
  expect(text).toEndWith("\n");
  const [first = "", ...lines] = text.slice(0, -1).split("\n");
  const header = JSON.parse(first) as Record<string, unknown>;
  expect(header["version"]).toBe(3);
  const events = lines.map((line) => {
    expect(line).toMatch(/^\[\d+\.\d{3,6}, "[omrx]", ".*"\]$/);
    return JSON.parse(line) as CastEvent;
  });
  return { header, events, output: dataOf(events, "o").join("") };
}

/** The data of all events of a kind. */
export function dataOf(events: readonly CastEvent[], code: string): string[] {
  return events.filter((event) => event[1] === code).map((event) => event[2]);
}
