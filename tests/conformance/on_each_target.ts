import { describe, setDefaultTimeout, test as bunTest } from "bun:test";
import { findCodex } from "../support/real_codex.ts";
import type { Target } from "../support/target.ts";
import { oursTarget } from "../support/target_ours.ts";
import { realTarget } from "../support/target_real.ts";
import { FS_KNOWN_DIFFERENCES } from "./fs_known_differences.ts";
import { KNOWN_DIFFERENCES, REAL_TIME } from "./known_differences.ts";

/** Above every failure bound within a test, so that what speaks first is the sentence about what did not come. */
const TEST_TIMEOUT_MS = 40_000;
/** Item 14 alone is ten minutes of silence. */
const SOAK_TIMEOUT_MS = 900_000;

export type Body = () => Promise<void>;

export type Suite = {
  target: Target;
  /** A test whose name begins with the number of its item; with `fs` before it, in the checklist of files. */
  test(name: string, body: Body): void;
  /** A test that moves time by 30 s or more. */
  timed(name: string, body: Body): void;
};

const soak = process.env.CONFORMANCE_SOAK === "1";
const codex = await findCodex("0.169.0");
if (!codex.found) console.warn(`conformance: not run against a real server: ${codex.reason}`);
const targets = codex.found ? [oursTarget(), realTarget(codex.binary)] : [oursTarget()];

/** Declares the same tests for each target there is. */
export function onEachTarget(declare: (suite: Suite) => void): void {
  setDefaultTimeout(TEST_TIMEOUT_MS);
  for (const target of targets) describe(target.name, () => declare(suiteOf(target)));
}

function suiteOf(target: Target): Suite {
  const skipped = (name: string) => {
    const difference = differenceOf(name);
    return target.name === "real" && difference?.extent === "all" ? difference.reason : undefined;
  };
  const declare = (name: string, body: Body, timeout: number, reason: string | undefined) => {
    if (reason === undefined) bunTest(name, body, timeout);
    else bunTest.skip(`${name} (${target.name}: ${reason})`, body);
  };
  return {
    target,
    test: (name, body) => declare(name, body, TEST_TIMEOUT_MS, skipped(name)),
    timed: (name, body) =>
      declare(
        name,
        body,
        target.name === "real" ? SOAK_TIMEOUT_MS : TEST_TIMEOUT_MS,
        skipped(name) ?? (target.name === "real" && !soak ? REAL_TIME : undefined),
      ),
  };
}

function differenceOf(name: string) {
  const [, item] = /^fs (\d+)/.exec(name) ?? [];
  return item === undefined ? KNOWN_DIFFERENCES.get(itemOf(name)) : FS_KNOWN_DIFFERENCES.get(Number(item));
}

function itemOf(name: string): number {
  const item = Number.parseInt(name, 10);
  if (!(item >= 1 && item <= 71)) throw new Error(`A conformance test begins with its item: ${name}`);
  return item;
}
