import { tmpdir } from "node:os";
import { within } from "../support/peer_deadline.ts";
import { binary } from "./binary.ts";

export interface Tried {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program to its end, in an environment where nothing is configured but what is given. */
export async function tryBinary(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Tried> {
  await using child = Bun.spawn([await binary(), ...args], {
    cwd: "/",
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: tmpdir(), TERM: "dumb", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await within(
    Promise.all([child.stdout.text(), child.stderr.text(), child.exited]),
    `the end of ${args.join(" ")}`,
  );
  return { status, stdout, stderr };
}
