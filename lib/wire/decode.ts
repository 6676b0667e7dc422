import type * as z from "zod/mini";
import { DecodeError } from "./decode_error.ts";
import { invalidType } from "./invalid_type.ts";

export { DecodeError } from "./decode_error.ts";
export {
  flag,
  noParams,
  nullable,
  optional,
  struct,
  text,
  textMap,
  texts,
  u16,
  u64,
  unchecked,
  usize,
  variants,
} from "./message_fields.ts";

type Issue = z.core.$ZodIssue;

/** What schemas without a sentence of their own say, a plain z.object for one. */
const FALLBACK = {
  error: ({ input, code, ...rest }: z.core.$ZodRawIssue) =>
    code === "invalid_type"
      ? invalidType(input, rest["expected"] === "object" ? "a map" : String(rest["expected"]))
      : undefined,
};

/**
 * The parameters as the schema reads them. Absent parameters are null.
 * Throws DecodeError with the first thing wrong, in the order in which Codex finds it: members as they stand in
 * the message, then those that are missing, as the schema lists them.
 */
export function decodeParams<Output>(schema: z.ZodMiniType<Output>, params: unknown): Output {
  const result = schema.safeParse(params, FALLBACK);
  if (result.success) return result.data;
  const first = result.error.issues.map((issue) => found(issue, params)).reduce(earlier);
  throw new DecodeError(first.sentence);
}

interface Found {
  /** Where the reader stood at each level: the index of the member, or infinite when it was missed at the end. */
  readonly place: readonly number[];
  readonly sentence: string;
}

function found(issue: Issue, params: unknown): Found {
  const place: number[] = [];
  let value = params;
  for (const key of issue.path) {
    const members: Record<PropertyKey, unknown> = Object(value);
    if (!Object.hasOwn(members, key)) {
      return { place: [...place, Infinity], sentence: `missing field \`${String(key)}\`` };
    }
    place.push(Object.keys(members).indexOf(String(key)));
    value = members[key];
  }
  return { place, sentence: issue.message };
}

/** Of two in the same place the first. */
function earlier(one: Found, other: Found): Found {
  for (const [level, index] of one.place.entries()) {
    const otherIndex = other.place[level] ?? Infinity;
    if (index !== otherIndex) return index < otherIndex ? one : other;
  }
  return one;
}
