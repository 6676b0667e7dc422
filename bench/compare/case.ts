import type { Scene } from "./scene.ts";
import type { Wire } from "./wire.ts";

/** One thing that is measured, the same way on both sides. */
export interface Case {
  readonly name: string;
  readonly about: string;
  readonly unit: "µs" | "ms" | "MB/s" | "per s";
  readonly betterIs: "less" | "more";
  /** Makes what is needed once, before any clock runs. */
  prepare?(scene: Scene): Promise<void> | void;
  /** One measurement over an open connection. Throws where the work was not done as asked. */
  once(wire: Wire, scene: Scene): Promise<number>;
}

/** Fails a case whose server did something else than what is measured: it must not win by that. */
export function must(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence);
}
