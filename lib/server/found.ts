import type { Soon } from "../fs/file_system.ts";
import type { WrittenResult } from "../wire/envelope.ts";
import type { Found } from "./route.ts";

/** What was found out, as a route answers it, now or later. */
export function found<T, Result>(
  value: Soon<T>,
  inWords: (value: T) => Result | WrittenResult<Result>,
): Found<Result> | Promise<Found<Result>> {
  if (value instanceof Promise) return value.then((later) => () => inWords(later));
  return () => inWords(value);
}

/** That it is done is all there is to say. */
export function done(value: Soon<void>) {
  return found(value, () => ({}));
}
