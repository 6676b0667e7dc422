import { childrenOf, descriptorsOf, residentMiB } from "../../tests/faults/system_facts.ts";

export type Vitals = { descriptors: number; zombies: number; children: number; residentMiB: number };

/** What a server holds just now, by the kernel's count. */
export function vitalsOf(pid: number): Vitals {
  const children = childrenOf(pid);
  return {
    descriptors: descriptorsOf(pid).length,
    zombies: children.filter(({ state }) => state === "Z").length,
    children: children.length,
    residentMiB: Math.round(residentMiB(pid)),
  };
}

export function print(label: string, vitals: Vitals): void {
  console.log(
    `${label}: ${vitals.residentMiB} MiB, ${vitals.descriptors} descriptors, ${vitals.children} children, ${vitals.zombies} zombies`,
  );
}
