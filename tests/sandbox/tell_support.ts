import { rulesOf, sandbox, shell, workspace } from "./confined.ts";
import type { Rules } from "../../lib/sandbox/rules.ts";

/** Tells what this machine's kernel lets us do, and for each kind of rules what a program does or why it may not. */
const shapes: Record<string, Rules> = {
  "whole-write": rulesOf([], { view: "whole-write" }),
  "whole-read": rulesOf([]),
  minimal: rulesOf([{ kind: "read", path: "/usr" }, { kind: "read", path: "/etc" }], {
    view: "minimal",
    links: [{ path: "/bin", target: "usr/bin" }, { path: "/lib", target: "usr/lib" }, {
      path: "/lib64",
      target: "usr/lib64",
    }],
  }),
};

using place = workspace();
const told: Record<string, string> = {};
for (const [name, rules] of Object.entries(shapes)) {
  told[name] = await shell(
    rules,
    `grep -h -E '^(CapEff|Seccomp):' /proc/self/status | tr -s '\\t\\n' ' '; touch ${place.path}/x 2>&1 | sed 's/.*: //'; ls /proc/self/fd > /dev/null && echo proc`,
  ).catch((error: Error) => `${error.name}: ${error.message}`);
}
const { mechanism: _, ...support } = await sandbox.support();
console.log(JSON.stringify({ support, told }));
