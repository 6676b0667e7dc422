/** How a client stands with its server. States go round between the first two, and end in the third. */
export type ClientState =
  | { readonly state: "connected" }
  | { readonly state: "recovering"; readonly attempt: number; readonly cause: string }
  | { readonly state: "failed"; readonly message: string };

export type ConnectionEvent =
  | { readonly type: "transport ended"; readonly cause: string }
  | { readonly type: "attempt failed"; readonly cause: string }
  | { readonly type: "resumed" }
  | { readonly type: "gave up"; readonly message: string };

/** What follows from an event; one that comes too late changes nothing. */
export function nextState(state: ClientState, event: ConnectionEvent): ClientState {
  if (state.state === "failed") return state;
  switch (event.type) {
    case "transport ended":
      return state.state === "connected" ? { state: "recovering", attempt: 1, cause: event.cause } : state;
    case "attempt failed":
      if (state.state !== "recovering") return state;
      return { state: "recovering", attempt: state.attempt + 1, cause: event.cause };
    case "resumed":
      return state.state === "recovering" ? { state: "connected" } : state;
    case "gave up":
      return { state: "failed", message: event.message };
  }
}
