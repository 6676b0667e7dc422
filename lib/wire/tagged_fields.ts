import * as z from "zod/mini";
import { decodeParams } from "./decode.ts";
import { DecodeError } from "./decode_error.ts";
import { invalidType } from "./invalid_type.ts";
import { quotePeer } from "./quote_peer.ts";

/**
 * An object that says by one of its members what it is. The other members are looked at as the variant wants.
 * `also` are older names of variants. `name` is what Codex calls the type in its refusals.
 */
export function tagged<Variants extends Readonly<Record<string, z.ZodMiniType>>>(
  name: string,
  tag: string,
  variants: Variants,
) {
  type Output = z.output<Variants[keyof Variants]>;
  return z.pipe(
    z.custom<object>((value) => typeof value === "object" && value !== null, {
      error: ({ input }) => invalidType(input, `internally tagged enum ${name}`),
    }),
    z.transform((given, { issues, value }): Output => {
      try {
        return decodeParams(variantOf(given, tag, variants), given) as Output;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        issues.push({ code: "custom", message: error.message, input: value });
        return z.NEVER;
      }
    }),
  );
}

function variantOf<Schema>(given: object, tag: string, variants: Readonly<Record<string, Schema>>): Schema {
  if (!Object.hasOwn(given, tag)) throw new DecodeError(`missing field \`${tag}\``);
  const { [tag]: said } = given as Readonly<Record<string, unknown>>;
  if (typeof said !== "string") throw new DecodeError(invalidType(said, "variant identifier"));
  const variant = Object.hasOwn(variants, said) ? variants[said] : undefined;
  if (variant !== undefined) return variant;
  const names = Object.keys(variants).map((name) => `\`${name}\``);
  const expected = names.length > 2 ? `one of ${names.join(", ")}` : names.join(" or ");
  throw new DecodeError(`unknown variant \`${quotePeer(said)}\`, expected ${expected}`);
}
