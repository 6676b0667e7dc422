import type { Flags } from "../command.ts";
import { usageError } from "../exit_status.ts";

/** What `--label K=V` said, the last of each K. */
export function readLabels(flags: Flags, command: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    flags.texts("label").map((text) => {
      const at = text.indexOf("=");
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw usageError(`option --label takes K=V, not "${text}"`, command);
    }),
  );
}
