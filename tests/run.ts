// Runs the tests and says at the end, on a line of its own, how many passed and how many failed: CI reads that line.
// Arguments are those of `bun test`: paths, `--timeout`, `--test-name-pattern` and so on.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { closingLine, totalsOf } from "./totals.ts";

/** Real children on a busy machine now and then take longer than Bun's five seconds. An argument overrides it. */
const TIMEOUT_MS = 20_000;

/** How long output may go on once the tests have ended: only a child they left behind can still hold it. */
const DRAIN_MS = 500;

/** Names the paths to run when the arguments name none, so that a test can run the README's command and stay small. */
const PATHS = process.env.EXEC_SERVER_TESTS?.split(" ") ?? ["tests"];

const PROJECT = resolve(import.meta.dir, "..");

const reports = await mkdtemp(join(tmpdir(), "exec-server-tests-"));
const exitCode = await run(process.argv.slice(2), join(reports, "junit.xml"));
await rm(reports, { recursive: true, force: true });
// By force: output that a child left behind still holds would keep us here.
process.exit(exitCode);

async function run(args: string[], report: string): Promise<number> {
  const paths = args.some((arg) => !arg.startsWith("-")) ? [] : PATHS;
  await using tests = Bun.spawn(
    [
      ...[process.execPath, "--no-env-file", "test", "--parallel", `--timeout=${TIMEOUT_MS}`],
      ...["--reporter=junit", `--reporter-outfile=${report}`],
      ...args,
      ...paths,
    ],
    // Pipes of our own, not our caller's: a child left behind by a test must not keep our caller waiting for the end.
    { cwd: PROJECT, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const stop = (signal: NodeJS.Signals) => tests.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

  const output = Promise.all([pass(tests.stdout, Bun.stdout), pass(tests.stderr, Bun.stderr)]);
  const exitCode = await tests.exited;
  await Promise.race([output, Bun.sleep(DRAIN_MS)]);

  const totals = await totalsOf(report, exitCode);
  await Bun.write(Bun.stdout, `\n${closingLine(totals)}\n`);
  return exitCode;
}

async function pass(from: ReadableStream<Uint8Array>, to: Bun.BunFile): Promise<void> {
  for await (const chunk of from) await Bun.write(to, chunk);
}
