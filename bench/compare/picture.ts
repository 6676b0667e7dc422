/**
 * Draws how many times better ours is, case by case, from what `--json` wrote:
 *
 *     node_modules/.bin/bun bench/compare/picture.ts results.json picture.svg
 */
import type { Results, Row } from "./results.ts";
import { times } from "./table.ts";

const [WIDTH, LABELS, FIGURES, LINE, TOP, BOTTOM] = [760, 110, 70, 26, 58, 56];
const PLOT = WIDTH - LABELS - FIGURES;
/** Both are read on white and on black, and told apart without colours by the side they are on. */
const [BETTER, WORSE, TEXT, FAINT] = ["#2a9d63", "#d1603d", "#7a7f87", "#9aa0a8"];

/** A scale on which twice as good is as far to the right as half as good is to the left. */
interface Scale {
  readonly x: (gain: number) => number;
  readonly marks: readonly number[];
}

function scaleFor(rows: readonly Row[]): Scale {
  const [low, high] = [
    Math.min(0.5, ...rows.map(({ gain }) => gain.least)),
    Math.max(2, ...rows.map(({ gain }) => gain.most)),
  ];
  const x = (gain: number) => LABELS + PLOT * Math.log(gain / low) / Math.log(high / low);
  const marks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  return { x, marks: marks.filter((mark) => mark >= low && mark <= high) };
}

export function picture(results: Results): string {
  const { rows, ours, peer, machine, rounds } = results;
  const height = TOP + rows.length * LINE + BOTTOM;
  const scale = scaleFor(rows);
  const title = `${ours.name} ${ours.version} beside ${peer.name} ${peer.version}`;
  const footnotes = [
    `Times better, on a logarithmic scale; the thin line is the spread of ${rounds} rounds in turn.`,
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ${results.when.slice(0, 10)}`,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
${text(12, 22, title, { fill: TEXT, size: 15 })}
${scale.marks.map((mark) => guide(scale.x(mark), mark, height - BOTTOM)).join("\n")}
${rows.map((row, index) => bar(row, TOP + index * LINE, scale)).join("\n")}
${
    footnotes.map((line, index) => text(12, height - 26 + index * 16, line, { fill: FAINT, size: 11 })).join(
      "\n",
    )
  }
</svg>
`;
}

function guide(x: number, mark: number, bottom: number): string {
  const dash = mark === 1 ? "" : ' stroke-dasharray="2 4"';
  return `<line x1="${at(x)}" y1="${TOP - 12}" x2="${at(x)}" y2="${bottom}" stroke="${FAINT}"${dash}/>` +
    text(x, TOP - 17, `${mark}x`, { fill: FAINT, size: 10, anchor: "middle" });
}

function bar({ name, about, gain }: Row, top: number, { x }: Scale): string {
  const [from, to] = [Math.min(x(1), x(gain.median)), Math.max(x(1), x(gain.median))];
  const [middle, baseline] = [top + LINE / 2, top + LINE / 2 + 4];
  return `<g><title>${escaped(about)}</title>
${text(12, baseline, name, { fill: TEXT, size: 12 })}
<rect x="${at(from)}" y="${top + 5}" width="${at(to - from)}" height="${LINE - 10}" fill="${
    gain.median >= 1 ? BETTER : WORSE
  }"/>
<line x1="${at(x(gain.least))}" y1="${middle}" x2="${at(x(gain.most))}" y2="${middle}" stroke="${TEXT}"/>
${text(WIDTH - 12, baseline, times(gain.median), { fill: TEXT, size: 12, anchor: "end" })}
</g>`;
}

function text(
  x: number,
  y: number,
  words: string,
  { fill, size, anchor = "start" }: { fill: string; size: number; anchor?: string },
): string {
  return `<text x="${at(x)}" y="${y}" fill="${fill}" font-size="${size}" text-anchor="${anchor}">${
    escaped(words)
  }</text>`;
}

function at(position: number): string {
  return position.toFixed(1);
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

if (import.meta.main) {
  const [from, to] = process.argv.slice(2);
  if (from === undefined || to === undefined) {
    throw new Error("Two files are wanted: results.json picture.svg");
  }
  const results: Results = await Bun.file(from).json();
  await Bun.write(to, picture(results));
}
