import { type Case, must } from "../case.ts";
import { FollowedProcess } from "../followed_process.ts";
import type { Scene } from "../scene.ts";
import { median } from "../statistics.ts";
import type { Wire } from "../wire.ts";
import { readOnly, workspaceWrite } from "./sandbox_contexts.ts";

const TIMES = 40;

interface Way {
  readonly name: string;
  readonly how: string;
  readonly more: (scene: Scene) => { tty?: boolean; sandbox?: object };
}

const WAYS: readonly Way[] = [
  { name: "exec.pipe", how: "on pipes", more: () => ({}) },
  { name: "exec.tty", how: "on a terminal", more: () => ({ tty: true }) },
  {
    name: "exec.sandbox.readonly",
    how: "in the sandbox that lets nothing be written",
    more: (scene) => ({ sandbox: readOnly(scene.uri()) }),
  },
  {
    name: "exec.sandbox.workspace",
    how: "in the sandbox that lets the workspace be written",
    more: (scene) => ({ sandbox: workspaceWrite(scene.uri()) }),
  },
];

/** From asking for `/bin/true` to knowing that it is over. */
export const execs: Case[] = WAYS.map(({ name, how, more }) => ({
  name,
  about: `process/start of /bin/true ${how} until process/closed`,
  unit: "µs",
  betterIs: "less",
  once: (wire, scene) => measure(wire, more(scene)),
}));

async function measure(wire: Wire, more: ReturnType<Way["more"]>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const child = new FollowedProcess(wire);
    const begun = performance.now();
    const answered = child.start(["/bin/true"], more);
    await child.closed();
    took.push((performance.now() - begun) * 1000);
    must(child.exitCode === 0, `/bin/true ended with ${child.exitCode}`);
    const isConfined = !(await answered).includes('"sandboxType":"none"');
    must(isConfined === (more.sandbox !== undefined), "It was not confined as asked");
  }
  return median(took);
}
