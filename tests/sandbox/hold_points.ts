import { createInterface } from "node:readline";
import { holdMaskPoints } from "../../lib/sandbox/mask_points.ts";

/** Holds the mask points of the rules in its first line, until its input ends. */
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { value } = await lines.next();
const held = holdMaskPoints(JSON.parse(value ?? ""));
console.log("held");
await lines.next();
held.release();
