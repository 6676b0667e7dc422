import type { WrittenResult } from "../wire/envelope.ts";
import type { Agreed } from "../wire/extensions.ts";
import type { MethodName, ParamsOf, ResultOf } from "../wire/methods.ts";
import type { Permits } from "../base/permits.ts";
import type { ConnectionFiles } from "./connection_files.ts";
import type { ConnectionHttp } from "./connection_http.ts";
import type { Session } from "./session.ts";

/** Whom a request comes from. */
export interface Caller {
  readonly session: Session;
  /** What its peer and we can beyond Codex. */
  readonly agreed: Agreed;
  /** Its open files, and the order of its calls on files. */
  readonly files: ConnectionFiles;
  /** Its requests to web servers. */
  readonly http: ConnectionHttp;
  /** One call that looks for capabilities at a time. */
  readonly discoveries: Permits;
  /** Aborted when the connection ends: nobody waits for the answer any more. */
  readonly gone: AbortSignal;
}

/** What a method finds out, now or later, and the words for it, chosen when there is room to send them. */
export type Found<Result> = () => Result | WrittenResult<Result>;

/** A method's handler. It throws, or rejects with, whatever `wire_words.ts` knows to translate. */
export type Route<Name extends MethodName> = (
  params: ParamsOf<Name>,
  caller: Caller,
) => Found<ResultOf<Name>> | Promise<Found<ResultOf<Name>>>;

export type Routes = { readonly [Name in Exclude<MethodName, "initialize">]: Route<Name> };
