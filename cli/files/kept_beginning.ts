import type { OpenFile } from "../../lib/fs/file_system.ts";
import { BLOCK_BYTES } from "./blocks.ts";

/** What was kept from an earlier run. */
export interface KeptBeginning {
  read(offset: number, length: number): Promise<Uint8Array>;
  /** It is the beginning of something else: what comes begins anew beside it. */
  disown(): Promise<void>;
}

/** Blocks that are compared, the first and the last of what was kept among them: little beside what is carried. */
const SAMPLES = 8;

/**
 * Whether what was kept looks like the beginning of the source. Only a sample: for places that do not tell when a file
 * was last changed, and whose times anybody can set back.
 */
export async function looksLikeBeginning(
  kept: KeptBeginning,
  source: OpenFile,
  end: number,
): Promise<boolean> {
  const blocks = Math.ceil(end / BLOCK_BYTES);
  const samples = Math.min(SAMPLES, blocks);
  for (let step = 0; step < samples; step++) {
    const block = samples === 1 ? 0 : Math.round(step * (blocks - 1) / (samples - 1));
    const [offset, length] = [block * BLOCK_BYTES, Math.min(BLOCK_BYTES, end - block * BLOCK_BYTES)];
    const [one, other] = await Promise.all([kept.read(offset, length), source.read(offset, length)]);
    if (!Buffer.from(one.buffer, one.byteOffset, one.length).equals(other)) return false;
  }
  return true;
}
