import type * as z from "zod/mini";
import { decodeParams } from "./decode.ts";
import { later, noParams } from "./message_fields.ts";
import type { Agreed, Extension } from "./extensions.ts";
import type { EnvironmentInfo, EnvironmentStatus } from "./environment_messages.ts";
import {
  accountedStartParams,
  anySignalParams,
  closeStdinParams,
  fullStartParams,
  gracefulTerminateParams,
  readParams,
  type ReadResult,
  resizeParams,
  signalParams,
  sizedStartParams,
  startParams,
  type StartResult,
  terminateParams,
  type TerminateResult,
  writeParams,
  type WriteResult,
} from "./process_messages.ts";
import {
  canonicalizeParams,
  type CanonicalizeResult,
  closeParams,
  copyParams,
  createDirectoryParams,
  getMetadataParams,
  openParams,
  readBlockParams,
  type ReadBlockResult,
  readDirectoryParams,
  type ReadDirectoryResult,
  readFileParams,
  type ReadFileResult,
  removeParams,
  walkParams,
  type WalkResult,
  watchMissingParams,
  type WatchMissingResult,
  writeBlockParams,
  writeFileParams,
} from "./fs_messages.ts";
import {
  appendParams,
  chmodParams,
  fullMetadataParams,
  type FullMetadataResult,
  listParams,
  type ListResult,
  renameParams,
  setAttributesParams,
  type SizedOpenResult,
  symlinkParams,
  unwatchParams,
  updateOpenParams,
  utimesParams,
  watchParams,
  type WatchResult,
} from "./files_v1_messages.ts";
import {
  attachParams,
  type AttachResult,
  detachParams,
  keptStartMembers,
  listProcessesParams,
  type ListProcessesResult,
  logsParams,
  type LogsResult,
  waitParams,
  type WaitResult,
} from "./processes_v1_messages.ts";
import { discoverParams, type DiscoverResult } from "./capability_messages.ts";
import { httpRequestParams, type HttpRequestResult } from "./http_messages.ts";
import { initializeParams, type InitializeResult } from "./session_messages.ts";

/** A group of methods that share a sentence when they are called too early. null: callable before all else. */
export type Family =
  | "exec"
  | "filesystem"
  | "http"
  | "capability discovery"
  | "environment info"
  | "environment status"
  | null;

type Schema<Params> = () => z.ZodMiniType<Params>;

export interface Method<Params, Result> {
  readonly family: Family;
  /** The extension that it belongs to; without it the method is unknown. null: Codex's own. */
  readonly extension: Extension | null;
  readonly params: Schema<Params>;
  /** What it takes instead where an extension was agreed. */
  readonly extended: { readonly by: Extension; readonly params: Schema<Params> } | null;
  /** What it takes where another was, alone or beside the first. */
  readonly further:
    | { readonly by: Extension; readonly alone: Schema<Params>; readonly both: Schema<Params> }
    | null;
  /** What it takes beside all that where one more was: the new members alone. */
  readonly besides: { readonly by: Extension; readonly members: Schema<object> } | null;
  /** Only a type: what the method answers. */
  readonly result?: Result;
}

function method<Result>() {
  return <Params>(family: Family, params: Schema<Params>): Method<Params, Result> => {
    return { family, extension: null, params, extended: null, further: null, besides: null };
  };
}

/** A method of Codex that takes more between two of ours. Its members are undefined where that was not agreed. */
function extended<Result>(by: Extension) {
  return <Plain, More>(
    family: Family,
    plain: Schema<Plain>,
    more: Schema<More>,
  ): Method<Plain extends More ? More : Plain & Partial<More>, Result> => {
    type Params = Schema<Plain extends More ? More : Plain & Partial<More>>;
    return {
      family,
      extension: null,
      params: plain as Params,
      extended: { by, params: more as Params },
      further: null,
      besides: null,
    };
  };
}

/** The same by two extensions, each of which may be agreed without the other. */
function twiceExtended<Result>(first: Extension, second: Extension) {
  return <Plain, One, Other, Both>(
    family: Family,
    plain: Schema<Plain>,
    one: Schema<One>,
    other: Schema<Other>,
    both: Schema<Both>,
  ): Method<Plain & Partial<Both>, Result> => {
    type Params = Schema<Plain & Partial<Both>>;
    return {
      family,
      extension: null,
      params: plain as Params,
      extended: { by: first, params: one as Params },
      further: { by: second, alone: other as Params, both: both as Params },
      besides: null,
    };
  };
}

/** The same by one more, that only adds members. */
function besides<Params, Result, More extends object>(
  method: Method<Params, Result>,
  by: Extension,
  members: Schema<More>,
): Method<Params & Partial<More>, Result> {
  return { ...method as Method<Params & Partial<More>, Result>, besides: { by, members } };
}

/** A method that exists between two of ours only. */
function ours<Result>(extension: Extension) {
  return <Params>(family: Family, params: Schema<Params>): Method<Params, Result> => {
    return { family, extension, params, extended: null, further: null, besides: null };
  };
}

/** It is done, and there is nothing to say about it. */
type Done = Record<string, never>;

/** The protocol: every method that is served. The other side of the wire is a program we do not ship. */
export const methods = {
  "initialize": method<InitializeResult>()(null, initializeParams),
  "environment/info": method<EnvironmentInfo>()("environment info", later(noParams)),
  "environment/status": method<EnvironmentStatus>()("environment status", later(noParams)),
  "process/start": besides(
    twiceExtended<StartResult>("terminal.v1", "outcome.v1")(
      "exec",
      startParams,
      sizedStartParams,
      accountedStartParams,
      fullStartParams,
    ),
    "processes.v1",
    keptStartMembers,
  ),
  "process/read": method<ReadResult>()("exec", readParams),
  "process/write": method<WriteResult>()("exec", writeParams),
  "process/closeStdin": ours<WriteResult>("stdin.v1")("exec", closeStdinParams),
  "process/signal": extended<Done>("signals.v1")("exec", signalParams, anySignalParams),
  "process/resize": ours<Done>("terminal.v1")("exec", resizeParams),
  "process/terminate": extended<TerminateResult>("signals.v1")(
    "exec",
    terminateParams,
    gracefulTerminateParams,
  ),
  "process/list": ours<ListProcessesResult>("processes.v1")("exec", listProcessesParams),
  "process/attach": ours<AttachResult>("processes.v1")("exec", attachParams),
  "process/detach": ours<Done>("processes.v1")("exec", detachParams),
  "process/wait": ours<WaitResult>("processes.v1")("exec", waitParams),
  "process/logs": ours<LogsResult>("processes.v1")("exec", logsParams),
  "fs/readFile": method<ReadFileResult>()("filesystem", readFileParams),
  "fs/writeFile": method<Done>()("filesystem", writeFileParams),
  "fs/open": extended<SizedOpenResult>("files.v1")("filesystem", openParams, updateOpenParams),
  "fs/readBlock": method<ReadBlockResult>()("filesystem", readBlockParams),
  "fs/writeBlock": method<Done>()("filesystem", writeBlockParams),
  "fs/close": method<Done>()("filesystem", closeParams),
  "fs/createDirectory": method<Done>()("filesystem", createDirectoryParams),
  "fs/getMetadata": extended<FullMetadataResult>("files.v1")(
    "filesystem",
    getMetadataParams,
    fullMetadataParams,
  ),
  "fs/canonicalize": method<CanonicalizeResult>()("filesystem", canonicalizeParams),
  "fs/readDirectory": method<ReadDirectoryResult>()("filesystem", readDirectoryParams),
  "fs/walk": method<WalkResult>()("filesystem", walkParams),
  "fs/remove": method<Done>()("filesystem", removeParams),
  "fs/copy": method<Done>()("filesystem", copyParams),
  "fs/watchMissing": method<WatchMissingResult>()("filesystem", watchMissingParams),
  "fs/rename": ours<Done>("files.v1")("filesystem", renameParams),
  "fs/chmod": ours<Done>("files.v1")("filesystem", chmodParams),
  "fs/utimes": ours<Done>("files.v1")("filesystem", utimesParams),
  "fs/symlink": ours<Done>("files.v1")("filesystem", symlinkParams),
  "fs/append": ours<Done>("files.v1")("filesystem", appendParams),
  "fs/setAttributes": ours<Done>("files.v1")("filesystem", setAttributesParams),
  "fs/list": ours<ListResult>("files.v1")("filesystem", listParams),
  "fs/watch": ours<WatchResult>("files.v1")("filesystem", watchParams),
  "fs/unwatch": ours<Done>("files.v1")("filesystem", unwatchParams),
  "http/request": method<HttpRequestResult>()("http", httpRequestParams),
  "capabilityRoots/discoverV1": method<DiscoverResult>()("capability discovery", discoverParams),
};

export type Methods = typeof methods;
export type MethodName = keyof Methods;
export type ParamsOf<Name extends MethodName> = Methods[Name] extends Method<infer Params, unknown> ? Params
  : never;
export type ResultOf<Name extends MethodName> = NonNullable<Methods[Name]["result"]>;

/** The method of that name, if it exists between these two peers. */
export function findMethod(name: string, agreed: Agreed): MethodName | null {
  if (!Object.hasOwn(methods, name)) return null;
  const known = name as MethodName;
  const { extension } = methods[known];
  return extension === null || agreed.has(extension) ? known : null;
}

/** What a peer sent for a method. Throws a DecodeError. */
export function paramsOf<Name extends MethodName>(
  name: Name,
  params: unknown,
  agreed: Agreed,
): ParamsOf<Name> {
  const method: Methods[MethodName] = methods[name];
  const decoded = decodeParams(schemaOf(method, agreed)(), params);
  if (method.besides === null || !agreed.has(method.besides.by)) return decoded as ParamsOf<Name>;
  return { ...decoded as object, ...decodeParams(method.besides.members(), params) } as ParamsOf<Name>;
}

function schemaOf({ params, extended, further }: Methods[MethodName], agreed: Agreed): Schema<unknown> {
  const isExtended = extended !== null && agreed.has(extended.by);
  if (further !== null && agreed.has(further.by)) return isExtended ? further.both : further.alone;
  return isExtended ? extended.params : params;
}
