/** The bond of a session and a connection. */
export type Attachment<Connection> =
  | { readonly state: "attached"; readonly connection: Connection }
  /** Nobody listens; after `expiresAt` nobody may come back. */
  | { readonly state: "detached"; readonly expiresAt: number }
  | { readonly state: "ended" };

export type AttachmentEvent<Connection> =
  | { readonly type: "resumed"; readonly connection: Connection; readonly now: number }
  | { readonly type: "connection ended"; readonly connection: Connection; readonly expiresAt: number }
  | { readonly type: "time is up" };

/** What becomes of the bond. An event that comes too late changes nothing. */
export function nextAttachment<Connection>(
  bond: Attachment<Connection>,
  event: AttachmentEvent<Connection>,
): Attachment<Connection> {
  switch (event.type) {
    case "resumed":
      // The deadline decides, also when its timer has not fired yet.
      if (bond.state !== "detached" || event.now >= bond.expiresAt) return bond;
      return { state: "attached", connection: event.connection };
    case "connection ended":
      if (bond.state !== "attached" || bond.connection !== event.connection) return bond;
      return { state: "detached", expiresAt: event.expiresAt };
    case "time is up":
      return { state: "ended" };
  }
}
