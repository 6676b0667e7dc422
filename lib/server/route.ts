import type { WrittenResult } from "../wire/envelope.ts";
import type { MethodName, ParamsOf, ResultOf } from "../wire/methods.ts";
import type { Caller } from "./caller.ts";

/** What a method finds out, now or later, and the words for it, chosen when there is room to send them. */
export type Found<Result> = () => Result | WrittenResult<Result>;

/** A method's handler. It throws, or rejects with, whatever `wire_words.ts` knows to translate. */
export type Route<Name extends MethodName> = (
  params: ParamsOf<Name>,
  caller: Caller,
) => Found<ResultOf<Name>> | Promise<Found<ResultOf<Name>>>;

export type Routes = { readonly [Name in Exclude<MethodName, "initialize">]: Route<Name> };
