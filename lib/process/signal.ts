export const SIGNALS = [
  "INT",
  "TERM",
  "HUP",
  "QUIT",
  "USR1",
  "USR2",
  "KILL",
  "STOP",
  "CONT",
  "WINCH",
] as const;
export type Signal = (typeof SIGNALS)[number];
