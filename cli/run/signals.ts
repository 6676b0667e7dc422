import type { Signal } from "../../lib/process/backend.ts";

/** What reaches us and is meant for the command. */
const FORWARDED = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"] as const satisfies readonly Signal[];
export type Forwarded = (typeof FORWARDED)[number];

/** Hears our signals until it is disposed; nothing of what they would do to us happens meanwhile. */
export function hearSignals(heard: (signal: Forwarded) => void): Disposable {
  const listeners = FORWARDED.map((signal) => [`SIG${signal}`, () => heard(signal)] as const);
  for (const [name, listener] of listeners) process.on(name, listener);
  return {
    [Symbol.dispose]() {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
