import { readdirSync, readFileSync } from "node:fs";
import { rulesOf, runConfined } from "./confined.ts";

/** Starts many, and tells what is left of them: in a program of its own, for others adopt what is not theirs. */
const rules = rulesOf([]);
await runConfined(rules, { argv: ["sh", "-c", "true"] });
const before = readdirSync("/proc/self/fd").length;
for (let i = 0; i < 20; i++) {
  const starts = Array.from(
    { length: 10 },
    (_, j) =>
      j === 0
        ? runConfined(rules, { programs: ["/no/such"] }).catch(() => {})
        : runConfined(rules, { argv: ["sh", "-c", "true"] }),
  );
  await Promise.all(starts);
}
Bun.gc(true);
const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim();
const descriptors = readdirSync("/proc/self/fd").length - before;
console.log(JSON.stringify({ children, descriptors }));
