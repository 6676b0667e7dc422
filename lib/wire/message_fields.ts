import * as z from "zod/mini";
import { invalidType } from "./invalid_type.ts";
import { quotePeer } from "./quote_peer.ts";

// The vocabulary in which the messages are written down. Each word carries the sentence for its failure.
// Lists and maps are one check each, not one a member: a peer chooses how many of them are wrong.

/** A schema that is built for the first message of its kind: building all of them takes longer than to start a server. */
export function later<Schema>(build: () => Schema): () => Schema {
  let built: Schema | undefined;
  return () => (built ??= build());
}

/** An object with these members. Others are ignored. `name` is what Codex calls it in its refusals. */
export function struct<Shape extends z.core.$ZodShape>(name: string, shape: Shape) {
  const size = Object.keys(shape).length;
  return z.object(shape, {
    error: ({ input }) =>
      Array.isArray(input)
        ? `invalid length ${input.length}, expected struct ${name} with ${size} elements`
        : invalidType(input, `struct ${name}`),
  });
}

export function text() {
  return z.string(expecting("a string"));
}

export function flag() {
  return z.boolean(expecting("a boolean"));
}

export function u64() {
  return integer(2 ** 64, "u64");
}

export function usize() {
  return integer(2 ** 64, "usize");
}

export function u16() {
  return integer(2 ** 16 - 1, "u16");
}

export function texts() {
  return z.custom<string[]>((value) => Array.isArray(value) && value.every(isText), {
    error: ({ input }) =>
      Array.isArray(input)
        ? invalidType(input.find((item) => !isText(item)), "a string")
        : invalidType(input, "a sequence"),
  });
}

/** Texts by name. Without a prototype, so that every name is only what the peer said, `__proto__` too. */
export function textMap() {
  const checked = z.custom<Record<string, string>>(
    (value) => isMap(value) && Object.values(value).every(isText),
    {
      error: ({ input }) =>
        isMap(input)
          ? invalidType(Object.values(input).find((item) => !isText(item)), "a string")
          : invalidType(input, "a map"),
    },
  );
  return z.pipe(
    checked,
    z.transform((map): Record<string, string> => Object.assign(Object.create(null), map)),
  );
}

export function variants<const Names extends readonly [string, ...string[]]>(...names: Names) {
  return z.enum(names, {
    error: ({ input }) =>
      typeof input === "string"
        ? `unknown variant \`${quotePeer(input)}\`, expected ${alternatives(names)}`
        : invalidType(input, "string or map"),
  });
}

/** May be absent, then it is the default. May not be null. */
export function optional<Schema extends z.ZodMiniType>(
  schema: Schema,
  absent: z.core.util.NoUndefined<z.output<Schema>>,
) {
  return z._default(schema, absent);
}

/** May be absent or of any type; whoever uses it judges it. (A bare z.unknown() may not be absent.) */
export function unchecked() {
  return z.optional(z.unknown());
}

/** May be absent or null, which are the same. */
export function nullable<Schema extends z.ZodMiniType>(schema: Schema) {
  return z._default(z.nullable(schema), null);
}

/** What a method without parameters takes: nothing, null or `{}`. */
export function noParams() {
  return z.custom<null | Record<string, never>>(
    (value) => value === null || value === undefined || isMap(value) && Object.keys(value).length === 0,
    expecting("unit"),
  );
}

function integer(max: number, name: string) {
  const fits = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max;
  return z.custom<number>(fits, {
    // NaN stands for a number that is no integer as written.
    error: ({ input }) => typeof input === "number" ? "invalid number" : invalidType(input, name),
  });
}

function expecting(expected: string) {
  return { error: ({ input }: { input?: unknown }) => invalidType(input, expected) };
}

function alternatives(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length > 2 ? `one of ${quoted.join(", ")}` : quoted.join(" or ");
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
