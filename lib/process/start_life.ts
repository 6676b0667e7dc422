/** How a start goes that takes a while. States only go forward. */
export type StartLife =
  /** Its id is taken; what was asked for does not run yet. */
  | { readonly state: "starting" }
  | { readonly state: "running" }
  /** Somebody wanted it ended before it ran. It never will. */
  | { readonly state: "cancelled" }
  | { readonly state: "failed" };

export type StartEvent = "began" | "failed" | "cancelled";

const AFTER: Readonly<Record<StartEvent, StartLife>> = {
  began: { state: "running" },
  failed: { state: "failed" },
  cancelled: { state: "cancelled" },
};

/** Where a start is after something happened. Only the first thing counts: what has begun cannot be cancelled. */
export function nextStart(life: StartLife, event: StartEvent): StartLife {
  return life.state === "starting" ? AFTER[event] : life;
}
