/** A whole message, as text or as a line. Codex's number; files travel in blocks far below it. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
