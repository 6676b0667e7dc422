import { closeSync } from "node:fs";
import type { Outlets } from "./forward.ts";
import { helperPath, planFile } from "./helper_file.ts";
import { makeStatusPipe } from "./libc.ts";
import type { Arch } from "./numbers.ts";
import type { Plan } from "./plan.ts";
import { awaitStart } from "./status.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** A start that is ready to be spawned. Whoever has it calls `began` or `abandon` once, and in the end `release`. */
export interface Wrapped {
  readonly command: {
    readonly program: string;
    /** What people see of the monitor; the program itself is told the name that was asked for. */
    readonly argv0: string;
    readonly cwd: "/";
    readonly env: Readonly<Record<string, string>>;
    /** To become 3, 4 … of the child, after its stdio. */
    readonly extraFds: readonly number[];
  };
  /**
   * To be called right after the spawn. Resolves once the program runs. Rejects with a SandboxStartError when it
   * never will.
   */
  began(): Promise<void>;
  /** The spawn itself failed. */
  abandon(): void;
  /** The process has ended, or never came to be. May be called more than once. */
  release(): void;
}

/** `released` is told once, at the end of all. `outlets`: where the plan passes listeners. It is ours from here on. */
export function prepareStart(
  arch: Arch,
  plan: Plan,
  released: () => void,
  outlets?: Outlets,
): Wrapped {
  const program = helperPath(arch);
  const planFd = planFile(plan.bytes);
  const status = makeStatusPipe();
  if (status === null) {
    closeSync(planFd);
    throw new UnenforceableError("too many open files");
  }
  let state: "prepared" | "spawned" | "released" = "prepared";
  const closeChildEnds = () => {
    closeSync(planFd);
    closeSync(status.writeEnd);
    outlets?.closeChildEnd();
  };
  return {
    command: {
      program,
      argv0: "exec-server-sandbox",
      cwd: "/",
      env: {},
      extraFds: [planFd, status.writeEnd, ...(outlets === undefined ? [] : [outlets.childEnd])],
    },
    async began() {
      if (state !== "prepared") throw new Error("Cannot begin twice");
      state = "spawned";
      closeChildEnds();
      await awaitStart(status.readEnd, plan.explain, () => outlets?.open() ?? Promise.resolve());
    },
    abandon() {
      if (state === "prepared") {
        closeChildEnds();
        closeSync(status.readEnd);
      }
      this.release();
    },
    release() {
      if (state === "released") return;
      state = "released";
      outlets?.end();
      released();
    },
  };
}
