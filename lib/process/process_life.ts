/** How far a process has come. States only go forward. */
export type ProcessLife =
  | { readonly state: "running" }
  /** The direct child is gone, but somebody may still hold its output open. */
  | { readonly state: "exited"; readonly exitCode: number }
  /** Exited, and nothing more will ever be printed. */
  | { readonly state: "closed"; readonly exitCode: number };

export type LifeEvent = { readonly type: "exited"; readonly exitCode: number } | { readonly type: "closed" };

/** What a process is after something happened; what cannot happen any more changes nothing. */
export function nextLife(life: ProcessLife, event: LifeEvent): ProcessLife {
  if (life.state === "running" && event.type === "exited") {
    return { state: "exited", exitCode: event.exitCode };
  }
  if (life.state === "exited" && event.type === "closed") return { state: "closed", exitCode: life.exitCode };
  return life;
}
