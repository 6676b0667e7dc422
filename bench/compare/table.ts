import type { Row, Side } from "./results.ts";
import { type Gain, median } from "./statistics.ts";

const WIDTHS = [12, 10, 10, 8, 14, 9, 9, 9, 9, 11];

export function heading(): string {
  return line([
    "case",
    "ours",
    "peer",
    "gain",
    "least..most",
    "cpu ours",
    "cpu peer",
    "MiB ours",
    "MiB peer",
    "client",
  ], "unit");
}

export function tableLine({ name, unit, ours, peer, gain }: Row): string {
  return line([
    name,
    short(median(ours.values)),
    short(median(peer.values)),
    times(gain.median),
    spread(gain),
    cpu(ours),
    cpu(peer),
    peak(ours),
    peak(peer),
    `${percent(ours.clientShare)}, ${percent(peer.clientShare)}`,
  ], unit);
}

function line([name, ...cells]: string[], unit: string): string {
  const padded = cells.map((cell, index) => cell.padStart(WIDTHS[index + 1]!));
  return [name!.padEnd(WIDTHS[0]!), ...padded, ` ${unit}`].join(" ");
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** As many digits as the noise leaves. */
export function times(gain: number): string {
  return `${gain >= 10 ? gain.toFixed(0) : gain.toFixed(2)}x`;
}

function spread({ least, most }: Gain): string {
  return `${times(least)}..${times(most)}`;
}

function cpu({ cpu }: Side): string {
  return cpu.length === 0 ? "-" : median(cpu).toFixed(2);
}

function percent(parts: readonly number[]): string {
  return `${Math.round(median(parts) * 100)} %`;
}

function peak({ peakMiB }: Side): string {
  return peakMiB === null ? "-" : peakMiB.toFixed(0);
}
