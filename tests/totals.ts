export type Totals = { passed: number; failed: number; skipped: number };

/**
 * Reads a JUnit report. It knows nothing of a file that could not be loaded or a run that crashed, so a run that
 * failed without a failed test counts as one failure.
 */
export async function totalsOf(report: string, exitCode: number): Promise<Totals> {
  const file = Bun.file(report);
  const head = await file.exists() ? /<testsuites [^>]*>/.exec(await file.text())?.[0] ?? "" : "";
  const failures = attribute(head, "failures");
  const skipped = attribute(head, "skipped");
  return {
    passed: attribute(head, "tests") - failures - skipped,
    failed: exitCode === 0 ? failures : Math.max(failures, 1),
    skipped,
  };
}

export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

function attribute(tag: string, name: string): number {
  return Number(new RegExp(` ${name}="(\\d+)"`).exec(tag)?.[1] ?? 0);
}
