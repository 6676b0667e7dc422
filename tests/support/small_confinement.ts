import { closeSync, writeSync } from "node:fs";
import type { Confinement, Wrapped, WrappedStart } from "../../lib/process/local/confinement.ts";
import { makePipe } from "../../lib/process/local/libc.ts";

export interface SmallConfinement extends Confinement {
  /** How many of the starts have come to their end, and how many were given up before a spawn. */
  readonly released: number;
  readonly abandoned: number;
}

/**
 * A confinement that confines nothing, by the means that every machine has: a shell that is told on descriptor 3 what to
 * become, and tells on 4 whether it could. With a gate it waits until somebody writes to that.
 */
export function smallConfinement(
  options: { gate?: string; setupFails?: string; errno?: string } = {},
): SmallConfinement {
  const counts = { released: 0, abandoned: 0 };
  return {
    get released() {
      return counts.released;
    },
    get abandoned() {
      return counts.abandoned;
    },
    wrap(start): Wrapped {
      const [plan, status] = [makePipe(), makePipe()];
      writeSync(plan.writeEnd, scriptFor(start, options));
      closeSync(plan.writeEnd);
      return {
        // A shell that reads from a terminal is told by another name and another variable where to begin.
        command: {
          program: "/bin/bash",
          argv0: start.tty ? "sh" : "bash",
          cwd: "/",
          env: start.tty ? { ENV: "/dev/fd/3" } : { BASH_ENV: "/dev/fd/3" },
          extraFds: [plan.readEnd, status.writeEnd],
        },
        began() {
          closeSync(plan.readEnd);
          closeSync(status.writeEnd);
          return whatItTells(status.readEnd);
        },
        abandon() {
          counts.abandoned += 1;
          for (const fd of [plan.readEnd, status.writeEnd, status.readEnd]) closeSync(fd);
        },
        release() {
          counts.released += 1;
        },
      };
    },
  };
}

function scriptFor(
  { programs, argv, cwd, env }: WrappedStart,
  { gate, setupFails, errno = "EPERM" }: { gate?: string; setupFails?: string; errno?: string },
): string {
  const fail = (words: string) => `{ echo ${quoted(words)} >&4; exit 125; }`;
  const [argv0, ...args] = argv.map((word) => quoted(String(word)));
  return [
    gate === undefined ? "" : `read -r go < ${quoted(gate)}`,
    setupFails === undefined ? "" : fail(`setup ${errno} ${setupFails}`),
    `cd ${quoted(String(cwd))} 2>/dev/null || ${fail("cwd ENOENT chdir")}`,
    ...programs.map((program) => `[ -z "$found" ] && [ -x ${quoted(program)} ] && found=${quoted(program)}`),
    `[ -n "$found" ] || ${fail("program ENOENT execve")}`,
    "echo began >&4",
    "exec 3<&- 4>&-",
    "unset ENV BASH_ENV PWD OLDPWD SHLVL",
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `exec -a ${argv0} "$found" ${args.join(" ")}`,
  ].join("\n");
}

async function whatItTells(fd: number): Promise<void> {
  const said = (await Bun.file(fd).text()).trim();
  closeSync(fd);
  if (said === "began" || said === "") return; // killed: its exit tells it
  const [kind, errno, ...what] = said.split(" ");
  throw Object.assign(new Error(said), { kind, errno, what: what.join(" ") });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
