import type { Flags } from "../command.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { planCopies, type PlannedCopy } from "./copy_plan.ts";
import { Copier, type CopyJob } from "./copy_files.ts";
import { fileDeparture, streamDeparture } from "./departure.ts";
import { CopyView } from "./copy_view.ts";
import { type BytePath, shownPath } from "./byte_path.ts";
import { fileFailure, READ_BY_COMMAND, Refusal } from "./file_failure.ts";
import { leaveOnSignal } from "./leave_on_signal.ts";
import { openSides, type Sides } from "./open_sides.ts";
import { type Operand, parseOperand, refuseEmptyPaths, wordBytes } from "./operand.ts";
import { refuseIntoItself } from "./into_itself.ts";
import { realPath } from "./same_file.ts";
import { scanTree } from "./scan_tree.ts";
import type { Facts, Side } from "./side.ts";
import { Underway } from "./underway.ts";
import { Notices } from "../run/notices.ts";
import { BrokenPipe } from "../run/write_all.ts";

/** `cp`: files and trees from here to a server, and back. */
export async function cpCommand(flags: Flags, words: readonly string[]): Promise<ExitStatus> {
  if (words.length < 2) throw usageError("it takes a source and a destination: cp SRC… DST", "cp");
  refuseEmptyPaths(words);
  const operands = wordBytes(words).map(parseOperand);
  const destination = operands.pop()!;
  const json = flags.has("json");
  if (json && destination.kind === "stream") throw usageError("--json and `-` both want stdout", "cp");
  const [quiet, verbose] = [flags.has("quiet"), flags.has("verbose")];
  const notices = new Notices({ quiet, verbose, color: "auto" });
  const underway = new Underway();
  await using sides = await openSides("cp", flags, notices);
  using view = new CopyView({ bar: !quiet && !json && process.stderr.isTTY === true, json, notices });
  using _signals = leaveOnSignal(underway, view);
  const copier = new Copier({ view, underway, address: sides.address });
  try {
    const how = { recursive: flags.has("recursive"), follow: flags.has("dereference") };
    await new CpRun(sides, view, copier, how).run(operands, destination);
    await underway.unlessLeaving();
  } catch (error) {
    await underway.unlessLeaving();
    if (error instanceof BrokenPipe) return EXIT.brokenPipe;
    if (error instanceof CommandError) view.failed(error.message, error.hint, error.status);
    throw error;
  } finally {
    for (const line of copier.lostModes) view.say(line);
  }
  view.done();
  return copier.isClean ? EXIT.ok : EXIT.failed;
}

interface Found {
  readonly operand: Operand;
  readonly side: Side;
  /** Absolute; empty for a stream. */
  readonly path: BytePath;
  readonly facts: Facts | null;
}

class CpRun {
  constructor(
    private readonly sides: Sides,
    private readonly view: CopyView,
    private readonly copier: Copier,
    private readonly how: { readonly recursive: boolean; readonly follow: boolean },
  ) {}

  async run(operands: readonly Operand[], destination: Operand): Promise<void> {
    const sources = await Promise.all(operands.map((operand) => this.#find(operand)));
    const missing = sources.find(({ operand, facts }) =>
      operand.kind !== "stream" && (facts === null || facts.kind === "link")
    );
    if (missing !== undefined) throw notThere(missing);
    const to = await this.#find(destination);
    const plan = planCopies(
      sources.map(({ operand, path, facts }) => ({
        operand: withPath(operand, path),
        kind: facts?.kind ?? "other",
      })),
      { operand: withPath(destination, to.path), kind: to.facts?.kind ?? null },
      this.how.recursive,
    );
    this.#tellWhatIsLost(sources, to);
    const jobs = await Promise.all(plan.map((planned, at) => this.#prepare(planned, sources[at]!, to.side)));
    const followed = jobs.reduce((sum, { tree }) => sum + (tree?.followed ?? 0), 0);
    if (followed > 0 && !this.how.follow) {
      const are = followed === 1 ? "1 link is" : `${followed} links are`;
      this.view.say(`${are} followed, as the server cannot keep them: what they lead to is copied`);
    }
    const files = jobs.flatMap(({ tree, facts }) =>
      tree === null ? [facts?.size ?? null] : tree.files.map((item) => item.facts.size)
    );
    const bytes = files.reduce<number | null>(
      (sum, size) => sum === null || size === null ? null : sum + size,
      0,
    );
    this.view.expect(files.length, bytes);
    for (const job of jobs) await this.#copy(job, destination.kind === "stream");
  }

  async #find(operand: Operand): Promise<Found> {
    if (operand.kind === "stream") {
      return { operand, side: this.sides.here, path: "" as BytePath, facts: null };
    }
    const side = operand.kind === "here" ? this.sides.here : this.sides.there;
    return await doing(`cannot look at ${shownPath(operand.word)}`, async () => {
      // `~` is spelled by us only behind the colon: what the shell left of it is a name.
      const path = side.absolute(
        operand.kind === "here" && operand.path.startsWith("~")
          ? `./${operand.path}` as BytePath
          : operand.path,
      );
      return { operand, side, path, facts: await side.look(path) };
    });
  }

  async #prepare({ isTree, target }: PlannedCopy, source: Found, to: Side): Promise<Prepared> {
    const { side: from, path, facts } = source;
    if (!isTree || facts === null) return { ...source, target, to, tree: null };
    return await doing(`cannot read ${shownPath(source.operand.word)}`, async () => {
      const top = await realPath({ side: from, path }) ?? path;
      await refuseIntoItself(from, top, to, target);
      const canKeep = from === to || from.isBeyondCodex && to.isBeyondCodex;
      const keepLinks = canKeep && !this.how.follow;
      const tree = await scanTree(from, top, {
        keepLinks,
        onProblem: (problem) => {
          this.copier.isClean = false;
          this.view.problem(problem.message, problem.hint);
        },
      });
      return { ...source, path: top, target, to, tree };
    });
  }

  async #copy(
    { operand, side: from, path, facts, tree, to, target }: Prepared,
    toStream: boolean,
  ): Promise<void> {
    await doing(`cannot copy ${operand.kind === "stream" ? "stdin" : shownPath(operand.word)}`, async () => {
      if (toStream) {
        const isFile = facts?.kind === "file";
        if (!isFile && from.name !== null) {
          throw new Refusal("it is neither a file nor a directory", READ_BY_COMMAND);
        }
        await this.copier.copyToStream(
          isFile
            ? fileDeparture(from, path, facts)
            : streamDeparture(operand.kind === "stream" ? null : path),
        );
      } else if (facts === null) {
        await this.copier.copyStream(to, target);
      } else {
        const job: CopyJob = { from, to, source: path, target, facts, tree };
        await (tree === null ? this.copier.copyFile(job) : this.copier.copyTree({ ...job, tree }));
      }
    });
  }

  #tellWhatIsLost(sources: readonly Found[], to: Found): void {
    if (to.operand.kind === "stream") return;
    if (!to.side.isBeyondCodex && sources.some(({ side }) => side !== to.side)) {
      this.view.detail("modes and times stay behind: the server has no word for them");
    } else if (sources.some(({ side }) => !side.isBeyondCodex)) {
      this.view.detail("times are kept, modes are not: the server does not tell them");
    }
  }
}

type Prepared = Found & {
  readonly to: Side;
  readonly target: BytePath;
  readonly tree: CopyJob["tree"];
};

function withPath(operand: Operand, path: BytePath): Operand {
  if (operand.kind === "stream") return operand;
  // The last name as it was written decides what the copy is called: `dir/.` has none.
  const isDot = /(^|\/)\.\.?\/*$/.test(operand.path) || operand.path === "";
  return { ...operand, path: isDot ? `${path}/.` as BytePath : path };
}

function notThere({ operand, facts }: Found): CommandError {
  const why = facts === null ? "No such file or directory (os error 2)" : "it is a link that leads nowhere";
  return new CommandError(
    `cannot copy ${shownPath(operand.word)}: ${why}`,
    operand.kind === "here"
      ? "a path on the server begins with a colon: `:path`"
      : "see the path there: `exec-server fs ls`",
    EXIT.failed,
  );
}

async function doing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFailure(what, error);
  }
}
