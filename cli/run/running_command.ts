import type { Environment } from "../../lib/environment/environment.ts";
import type { Abilities, ProcessHandle } from "../../lib/process/backend.ts";
import type { ExitStatus } from "../exit_status.ts";
import type { JsonEvents } from "./json_events.ts";
import type { Notices } from "./notices.ts";
import type { Recording } from "./recording.ts";
import type { RunPlan } from "./run_plan.ts";
import type { StdinChoice } from "./stdin_choice.ts";
import type { UserTerminal } from "./user_terminal.ts";

export interface RunningCommand {
  readonly plan: RunPlan;
  readonly handle: ProcessHandle;
  readonly argv: readonly string[];
  readonly abilities: Abilities;
  readonly environment: Environment;
  /** What its place is called; null right here. */
  readonly name: string | null;
  readonly stdin: StdinChoice;
  readonly terminal: UserTerminal | null;
  readonly events: JsonEvents | null;
  /** How it is found again when we have left; null: it is not. */
  readonly found: KeptAs | null;
  readonly notices: Notices;
  readonly recording: Recording | null;
}

export interface KeptAs {
  /** What is to be typed for it. */
  readonly command: string;
  /** It was there before us: whoever tells us to go does not mean it. */
  readonly isAttached: boolean;
}

export interface CommandEnd {
  readonly status: ExitStatus;
  /** The user left, and it goes on. */
  readonly leavesItRunning: boolean;
}
