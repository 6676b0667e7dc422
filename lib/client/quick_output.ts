import { decodeBase64 } from "../wire/base64.ts";
import { DecodeError } from "../wire/decode_error.ts";
import type { Stream } from "../process/process_event.ts";
import type { ToldNews } from "./wire_events.ts";

/** An output notification as every server writes it: no escapes, no other members, nothing left to check but the chunk. */
const BEGINNING =
  /^\{"method":"process\/output","params":\{"processId":"([ !#-[\]-~]*)","seq":([1-9]\d{0,14}),"stream":"(stdout|stderr|pty)","chunk":"/;
const END = '"}}';

/**
 * The way of nearly every message of a busy connection: three times as fast as reading JSON, and as strict, for base64 has
 * no character that means anything in JSON. null for whatever is not written just so; it is read the careful way.
 */
export function quickOutput(text: string): ToldNews | null {
  const found = BEGINNING.exec(text);
  if (found === null || !text.endsWith(END)) return null;
  const [beginning, processId, seq, stream] = found;
  try {
    const bytes = decodeBase64(text.slice(beginning.length, -END.length));
    return {
      processId: processId!,
      event: { type: "output", seq: Number(seq), stream: stream as Stream, bytes },
    };
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
