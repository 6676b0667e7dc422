import * as z from "zod/mini";
import { decodeParams } from "./decode.ts";
import { DecodeError } from "./decode_error.ts";
import { invalidType } from "./invalid_type.ts";

/** A list whose items look like this. Only the first wrong one is reported: a peer chooses how many are. */
export function listOf<Item>(item: z.ZodMiniType<Item>) {
  return z.pipe(
    z.custom<unknown[]>(Array.isArray, { error: ({ input }) => invalidType(input, "a sequence") }),
    z.transform((given, { issues, value }): Item[] => {
      try {
        return given.map((one) => decodeParams(item, one));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        issues.push({ code: "custom", message: error.message, input: value });
        return z.NEVER;
      }
    }),
  );
}
