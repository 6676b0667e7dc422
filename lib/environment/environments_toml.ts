import { isAbsolute, resolve } from "@std/path";
import { environmentsTomlPath } from "./codex_home.ts";
import { LOCAL_ENVIRONMENT_ID } from "./environment.ts";
import { EnvironmentError } from "./environment_error.ts";
import type { EnvironmentSnapshot } from "./environment_provider.ts";
import type { EnvironmentSpec, ProgramSpec, UrlSpec } from "./environment_spec.ts";
import { isLoopbackHost, serverUrl } from "./server_url.ts";
import { Secret } from "./secret.ts";
import { type StrictTable, TomlDocument, TomlProblem } from "./toml_document.ts";
import { readText } from "./toml_file.ts";

const LONGEST_ID = 64;

/** Codex's `environments.toml`. Every complaint is an EnvironmentError with the sentence that Codex has for it. */
export function readEnvironmentsToml(home: string): EnvironmentSnapshot {
  const path = environmentsTomlPath(home);
  return parseEnvironmentsToml(readText(path), { path, directory: home });
}

export interface Origin {
  /** What complaints call the file. */
  readonly path: string;
  /** What a relative `cwd` is relative to; null where there is nothing. */
  readonly directory: string | null;
}

export function parseEnvironmentsToml(text: string, { path, directory }: Origin): EnvironmentSnapshot {
  const { root, entries } = shapeOf(text, path);
  const environments: [string, EnvironmentSpec][] = entries.map((entry) => {
    checkId(entry.id);
    return [entry.id, specOf(entry, directory)];
  });
  const seen = new Set<string>();
  for (const [id] of environments) {
    if (seen.has(id)) throw refused(`environment id \`${id}\` is duplicated`);
    seen.add(id);
  }
  return { environments, default: defaultOf(root, seen), includeLocal: root.includeLocal };
}

interface Root {
  readonly default: string | undefined;
  readonly includeLocal: boolean;
}

interface Entry {
  readonly id: string;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly program: string | undefined;
  readonly args: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly cwd: string | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly initializeTimeoutMs: number | undefined;
}

/** Names and types; what they mean together comes after. */
function shapeOf(text: string, path: string): { root: Root; entries: Entry[] } {
  try {
    const { root } = new TomlDocument(text);
    root.only("default", "include_local", "environments");
    return {
      root: { default: root.text("default"), includeLocal: root.flag("include_local") ?? true },
      entries: root.list("environments", "struct EnvironmentToml").map(entryOf),
    };
  } catch (error) {
    if (!(error instanceof TomlProblem)) throw error;
    throw refused(`failed to parse environment config \`${path}\`: ${error.message}`);
  }
}

function entryOf(table: StrictTable): Entry {
  table.only(
    "id",
    "skills",
    "url",
    "auth_bearer_token",
    "program",
    "args",
    "env",
    "cwd",
    "connect_timeout_sec",
    "initialize_timeout_sec",
  );
  // What an agent must know there is not ours to judge, only ours to read.
  const skills = table.within("skills", "struct ScopedSkillsConfig");
  skills?.only("required");
  return {
    id: table.text("id") ?? table.refuse(null, "missing field `id`"),
    url: table.text("url"),
    token: table.text("auth_bearer_token"),
    program: table.text("program"),
    args: table.texts("args"),
    env: table.textMap("env"),
    cwd: table.text("cwd"),
    connectTimeoutMs: table.seconds("connect_timeout_sec"),
    initializeTimeoutMs: table.seconds("initialize_timeout_sec"),
  };
}

function checkId(id: string): void {
  if (id.trim() === "") throw refused("environment id cannot be empty");
  const complaint = complaintAbout(id);
  if (complaint !== null) throw refused(`environment id \`${id}\` ${complaint}`);
}

/** What is wrong with a name for a place, to follow the name; null for nothing. */
export function complaintAbout(id: string): string | null {
  if (id.trim() !== id) return "must not contain surrounding whitespace";
  if (["local", "none"].includes(id.toLowerCase())) return "is reserved";
  if (id.length > LONGEST_ID) return `cannot be longer than ${LONGEST_ID} characters`;
  if (!/^[A-Za-z0-9_-]+$/.test(id)) return "must contain only ASCII letters, numbers, '-' or '_'";
  return null;
}

function specOf(entry: Entry, directory: string | null): EnvironmentSpec {
  const { id, url, program, args, env, cwd } = entry;
  if (program === undefined && (args ?? env ?? cwd) !== undefined) {
    throw refused(`environment \`${id}\` args, env, and cwd require program`);
  }
  if (url === undefined && entry.token !== undefined) {
    throw refused(`environment \`${id}\` auth_bearer_token requires url`);
  }
  if (url === undefined && entry.connectTimeoutMs !== undefined) {
    throw refused(`environment \`${id}\` connect_timeout_sec requires url`);
  }
  if (url !== undefined && program === undefined) return urlSpec(url, entry);
  if (url === undefined && program !== undefined) return programSpec(program, entry, directory);
  throw refused(`environment \`${id}\` must set exactly one of url or program`);
}

function urlSpec(written: string, { token, connectTimeoutMs, initializeTimeoutMs }: Entry): UrlSpec {
  const url = written.trim();
  if (url === "") throw refused("environment url cannot be empty");
  if (!/^wss?:\/\//.test(url)) throw refused(`environment url \`${url}\` must use ws:// or wss://`);
  const parsed = serverUrl(url);
  if (typeof parsed === "string") throw refused(`environment url \`${url}\` is invalid: ${parsed}`);
  if (token !== undefined) checkToken(token, parsed);
  return {
    kind: "url",
    url,
    ...(token === undefined ? {} : { token: new Secret(token) }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(initializeTimeoutMs === undefined ? {} : { initializeTimeoutMs }),
  };
}

function checkToken(token: string, url: URL): void {
  if (url.protocol !== "wss:" && !isLoopbackHost(url.hostname)) {
    throw refused("exec-server WebSocket headers require wss:// or a loopback destination");
  }
  if (/[^\t\x20-\x7e\x80-\uffff]/.test(token)) {
    throw refused("invalid value for exec-server WebSocket header `authorization`");
  }
}

function programSpec(written: string, entry: Entry, directory: string | null): ProgramSpec {
  const { id, args = [], env = {}, cwd, initializeTimeoutMs } = entry;
  const program = written.trim();
  if (program === "") throw refused(`environment \`${id}\` program cannot be empty`);
  if (cwd !== undefined && !isAbsolute(cwd) && directory === null) {
    throw refused(`environment \`${id}\` cwd must be absolute`);
  }
  return {
    kind: "program",
    program,
    args,
    env,
    cwd: cwd === undefined ? null : directory === null ? cwd : resolve(directory, cwd),
    ...(initializeTimeoutMs === undefined ? {} : { initializeTimeoutMs }),
  };
}

function defaultOf({ default: written, includeLocal }: Root, ids: ReadonlySet<string>): string | null {
  if (written === undefined) return includeLocal ? LOCAL_ENVIRONMENT_ID : null;
  const id = written.trim();
  if (id === "") throw refused("default environment id cannot be empty");
  if (id.toLowerCase() === "none") return null;
  const isConfigured = ids.has(id) || id === LOCAL_ENVIRONMENT_ID && includeLocal;
  if (!isConfigured) throw refused(`default environment \`${id}\` is not configured`);
  return id;
}

function refused(message: string): EnvironmentError {
  return new EnvironmentError("protocol", message);
}
