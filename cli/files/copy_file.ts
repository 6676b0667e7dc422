import { hostname } from "node:os";
import { baseOf, type BytePath, bytePath, nativePath, parentOf, shownPath } from "./byte_path.ts";
import { arrivalAt } from "./choose_arrival.ts";
import { CodexArrival } from "./codex_arrival.ts";
import { copyOne, type CopyTools } from "./copy_one.ts";
import { copyThere } from "./copy_there.ts";
import { type Departure, fileDeparture, streamDeparture } from "./departure.ts";
import { placed, READ_BY_COMMAND, Refusal, writing } from "./file_failure.ts";
import { NamedArrival } from "./named_arrival.ts";
import { LostModes } from "./lost_modes.ts";
import type { Origin } from "./part_name.ts";
import { tellWhatIsLeft } from "./room_report.ts";
import { isSameFile, realPath } from "./same_file.ts";
import type { Facts, Side } from "./side.ts";
import { StreamArrival } from "./stream_arrival.ts";
import { sweepParts } from "./sweep_parts.ts";

const STDOUT = 1;

/** A source that was looked at, where it is to be, and what stands there now. */
export interface FileJob {
  readonly from: Side;
  readonly to: Side;
  readonly source: BytePath;
  readonly target: BytePath;
  readonly facts: Facts;
  readonly existing: Facts | null;
}

export interface FileCopierOptions extends CopyTools {
  /** What the far end is called, so that two servers are not taken for one. */
  readonly address: string;
}

/** Copies one file after another, of whatever kind, to whatever stands there. */
export class FileCopier {
  readonly lostModes = new LostModes();
  /** By these names parts of what has arrived can be known, those of older versions too. */
  readonly #stems = new Set<string>();

  /** Directories of plain Codex servers that were looked through for what was left in them. */
  readonly #tidied = new Set<BytePath>();

  constructor(private readonly options: FileCopierOptions) {}

  async copy(job: FileJob): Promise<void> {
    const { to, target, existing } = job;
    await tellWhatIsLeft(to, target, existing, () => this.#put(job));
  }

  /** null: our stdin. */
  async copyStream(path: BytePath | null, to: Side, target: BytePath): Promise<void> {
    const name = path === null ? "stdin" : shownPath(path);
    this.options.view.begin(name, name);
    const existing = await writing(to, target, () => to.look(target));
    const arrive = () => this.#arrive(streamDeparture(path), to, target, existing, null);
    await tellWhatIsLeft(to, target, existing, arrive);
    await this.sweep(to, parentOf(target));
  }

  async copyToStream(departure: Departure): Promise<void> {
    await copyOne(departure, new StreamArrival(() => STDOUT), this.options);
  }

  /** Something was put into a directory that was there before: what others left in it is looked through. */
  async sweep(side: Side, directory: BytePath): Promise<void> {
    if (side.isBeyondCodex) await sweepParts(side, directory, this.#stems);
  }

  /** What was left at a plain Codex server is of no use to anybody: it gives its room to what comes. */
  async #tidy(side: Side, directory: BytePath): Promise<void> {
    if (this.#tidied.has(directory)) return;
    this.#tidied.add(directory);
    await sweepParts(side, directory, new Set());
  }

  async #put(job: FileJob): Promise<void> {
    const { from, to, source, target, facts, existing } = job;
    const { view, underway } = this.options;
    view.begin(placed(from, source), shownPath(baseOf(source)));
    if (facts.kind === "other" && from.name === null) {
      return await this.#arrive(streamDeparture(source), to, target, existing, null);
    }
    if (facts.kind !== "file") throw new Refusal("it is neither a file nor a directory", READ_BY_COMMAND);
    const where = placed(to, target);
    if (existing?.kind === "directory") {
      throw new Refusal(`${where} is a directory`, "remove it first, or choose another name");
    }
    if (existing?.kind === "file" && await isSame(job, existing)) {
      throw new Refusal(`it is the same file as ${where}`, "choose another name");
    }
    if (from === to && from.name !== null && existing?.kind !== "other") {
      await copyThere(
        { side: to, source, target: await placeOf(to, target, existing), facts, existing },
        underway,
      );
      this.lostModes.count(to, facts, false);
      view.carried(facts.size);
      return view.fileDone();
    }
    const origin = this.#originOf(from, source, facts);
    await this.#arrive(fileDeparture(from, source, facts), to, target, existing, origin);
    this.lostModes.count(to, facts, existing === null);
  }

  #originOf({ name }: Side, source: BytePath, facts: Facts): Origin {
    const { size, modifiedAtMs, changedAtMs, identity } = facts;
    const machine = name === null ? hostname() : this.options.address;
    return {
      source: `${machine}\0${source}`,
      version: [identity, size, modifiedAtMs, changedAtMs].join("\0"),
    };
  }

  async #arrive(
    departure: Departure,
    to: Side,
    target: BytePath,
    existing: Facts | null,
    origin: Origin | null,
  ): Promise<void> {
    const path = await placeOf(to, target, existing);
    const arrival = arrivalAt(to, { path, existing, origin, source: departure.facts });
    if (arrival instanceof CodexArrival) await this.#tidy(to, parentOf(path));
    await copyOne(departure, new NamedArrival(arrival, to, target), this.options);
    if (arrival.stem !== null) this.#stems.add(arrival.stem);
  }
}

function isSame({ from, source, facts, to, target }: FileJob, existing: Facts): Promise<boolean> {
  return isSameFile({ side: from, path: source, facts }, { side: to, path: target, facts: existing });
}

/** What stands at the end of a link is replaced, and the link stays. */
async function placeOf(to: Side, target: BytePath, existing: Facts | null): Promise<BytePath> {
  if (existing?.isLink !== true || existing.kind === "other") return target;
  const real = existing.kind === "link" ? null : await realPath({ side: to, path: target });
  if (real !== null) return bytePath(nativePath(real));
  throw new Refusal(
    `${placed(to, target)} is a link that leads nowhere`,
    "remove it, or name what it leads to",
  );
}
