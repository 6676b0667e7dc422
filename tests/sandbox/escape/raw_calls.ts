import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getSystemErrorName } from "node:util";
import { helperElf } from "../../../lib/sandbox/machine.ts";
import type { Arch } from "../../../lib/sandbox/numbers.ts";
import { Program } from "../../../lib/sandbox/program.ts";
import type { Ground } from "./ground.ts";

/**
 * System calls as they are, one after the other in a process with one thread and without a library: the helper that
 * builds sandboxes runs any list of calls. Ends with 0 if all were allowed.
 */
export class RawCalls {
  readonly #program = new Program(process.arch as Arch);
  readonly #report: string;
  /** For a shell. */
  readonly command: string;

  constructor(ground: Ground, write: (program: Program, ground: Ground) => void) {
    const [machine, plan] = ["machine", "plan"].map((name) => join(ground.path, name));
    this.#report = join(ground.work, "report");
    write(this.#program, ground);
    this.#program.call("exit_group", [0], { what: "exit" });
    writeFileSync(machine!, helperElf(this.#program.arch), { mode: 0o755 });
    writeFileSync(plan!, this.#program.build());
    this.command = `exec ${machine} 3< ${plan} 4> ${this.#report}`;
  }

  /** Which call was refused and how, "" for none. */
  get refusal(): string {
    const report = readFileSync(this.#report);
    if (report.length === 0) return "";
    return `${this.#program.what(report.readUInt32LE(4))}: ${getSystemErrorName(-report.readUInt32LE(0))}`;
  }
}
