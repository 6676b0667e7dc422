import type { Environment } from "../../lib/environment/environment.ts";
import { runCommand } from "../../lib/environment/run_command.ts";
import { inMs } from "./latency.ts";
import type { Finding } from "./finding.ts";

/** Fewer than a build or a test run needs. */
const FEW_FILES = 1_024;

/** A place where this takes longer is of no use to anybody. */
const LONGEST_MS = 15_000;

/** Answers `name=value` lines in plain POSIX words, so that any shell there understands it. */
const QUESTIONS = `
echo "path=$PATH"
IFS=:; for d in $PATH; do [ -d "$d" ] && found=1; done; unset IFS
echo "directories=\${found:-0}"
echo "locale=\${LC_ALL:-\${LC_CTYPE:-\${LANG:-}}}"
echo "files=$(ulimit -n)"
[ -r /proc/self/stat ] && echo proc=1
[ -w "\${TMPDIR:-/tmp}" ] && echo temp=1
for d in /usr/share/terminfo /lib/terminfo /etc/terminfo "$HOME/.terminfo"; do
  for f in "$d"/*/"$1"; do [ -e "$f" ] && echo terminfo=1; done
done
exit 0
`;

/** Whether commands find there what they expect anywhere. Runs one. */
export async function* checkPlace(environment: Environment): AsyncGenerator<Finding> {
  const { shell, platform } = await environment.info();
  const term = process.env["TERM"] ?? "";
  let answers: ReadonlyMap<string, string>;
  try {
    const begin = performance.now();
    const { exitCode, stdout, stderr } = await runCommand(environment, [
      shell.path,
      "-c",
      QUESTIONS,
      "doctor",
      term,
    ], { signal: AbortSignal.timeout(LONGEST_MS) });
    if (exitCode !== 0) throw new Error(`${shell.path} ended with ${exitCode}: ${firstLine(stderr)}`);
    yield ok("shell", `${shell.path} ran a command in ${inMs(performance.now() - begin)}`);
    answers = readAnswers(stdout);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    yield {
      name: "shell",
      verdict: "fail",
      detail,
      hint: `see that ${shell.path} and the directory are there`,
    };
    return;
  }
  yield checkPath(answers);
  yield checkTerm(term, answers);
  yield checkLocale(answers.get("locale") ?? "");
  yield checkFiles(answers.get("files") ?? "");
  if (platform === "linux") {
    // Ours does not even begin without one; what answers there may be a plain Codex server, which does.
    yield answers.has("proc")
      ? ok("proc", "/proc is mounted")
      : warn("proc", "/proc is not mounted", "mount it (mount -t proc proc /proc): many programs need it");
  }
  yield answers.has("temp") ? ok("temporary files", "can be written") : warn(
    "temporary files",
    "the directory for them cannot be written",
    "set TMPDIR where the server is started",
  );
}

function checkPath(answers: ReadonlyMap<string, string>): Finding {
  const path = answers.get("path") ?? "";
  const hint = "set it where the server is started, or give it with -e PATH=/usr/local/bin:/usr/bin:/bin";
  if (path === "") return { name: "path", verdict: "fail", detail: "PATH is empty there", hint };
  if (answers.get("directories") === "1") return ok("path", path);
  return {
    name: "path",
    verdict: "fail",
    detail: `none of the directories in PATH is there (${path})`,
    hint,
  };
}

function checkTerm(term: string, answers: ReadonlyMap<string, string>): Finding {
  if (term === "") {
    return warn("term", "TERM is not set here", "set it, such as TERM=xterm-256color, for terminals");
  }
  if (answers.has("terminfo")) return ok("term", `${term} is known there`);
  const hint = `install its terminfo there, or run with -e TERM=xterm-256color`;
  return warn("term", `${term} is not known there`, hint);
}

function checkLocale(locale: string): Finding {
  if (/utf-?8/i.test(locale)) return ok("locale", locale);
  const detail = locale === "" ? "LANG is not set there" : `${locale} is not UTF-8`;
  return warn("locale", detail, "give it with -e LANG=C.UTF-8, or set it where the server is started");
}

function checkFiles(limit: string): Finding {
  if (limit === "unlimited" || Number(limit) >= FEW_FILES) {
    return ok("open files", `${limit} for each process`);
  }
  const detail = `only ${limit || "an unknown number"} for each process`;
  return warn("open files", detail, "raise it where the server is started: ulimit -n 65536, or LimitNOFILE=");
}

function readAnswers(stdout: Uint8Array): ReadonlyMap<string, string> {
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes("="));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

function firstLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).split("\n")[0]!;
}

function ok(name: string, detail: string): Finding {
  return { name, verdict: "ok", detail, hint: null };
}

function warn(name: string, detail: string, hint: string): Finding {
  return { name, verdict: "warn", detail, hint };
}
