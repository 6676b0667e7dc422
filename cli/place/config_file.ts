import { dirname } from "@std/path";
import { complaintAbout } from "../../lib/environment/environments_toml.ts";
import { type StrictTable, TomlDocument, TomlProblem } from "../../lib/environment/toml_document.ts";
import { readText } from "../../lib/environment/toml_file.ts";
import { EnvironmentError } from "../../lib/environment/environment_error.ts";
import { pathBeside, type Variables } from "./config_path.ts";
import { urlProblem } from "./url_problem.ts";

/** One `[hosts.NAME]`. Paths are absolute; the token itself is never here. */
export type Host =
  | { readonly kind: "url"; readonly url: string; readonly tokenFile: string | null }
  | {
    readonly kind: "program";
    readonly program: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string | null;
  };

export interface Config {
  /** A host, `local`, or null where it does not say. `none` is to run nothing without naming a place. */
  readonly default: string | null;
  readonly hosts: ReadonlyMap<string, Host>;
}

/** Something is wrong with the file; the message says where. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads a configuration. Throws a ConfigError for anything it does not understand. */
export function readConfig(path: string, env: Variables): Config {
  try {
    return parseConfig(readText(path), path, env);
  } catch (error) {
    if (error instanceof EnvironmentError) throw new ConfigError(error.detail);
    throw error;
  }
}

export function parseConfig(text: string, path: string, env: Variables): Config {
  try {
    const { root } = new TomlDocument(text);
    root.only("default", "hosts");
    const hosts = new Map<string, Host>();
    const tables = root.within("hosts", "a table of hosts");
    for (const name of tables?.keys() ?? []) {
      const complaint = name === "" ? "is empty" : complaintAbout(name);
      if (complaint !== null) tables!.refuse(name, `host name \`${name}\` ${complaint}`);
      hosts.set(name, hostFrom(tables!.within(name, "a table")!, dirname(path), env));
    }
    return { default: defaultFrom(root, hosts), hosts };
  } catch (error) {
    if (error instanceof TomlProblem) throw new ConfigError(`${path}: ${error.message}`);
    throw error;
  }
}

function hostFrom(table: StrictTable, directory: string, env: Variables): Host {
  table.only("url", "token_file", "program", "args", "cwd", "env");
  const [url, program] = [table.text("url"), table.text("program")];
  const tokenFile = table.text("token_file");
  const [args, cwd, extra] = [table.texts("args"), table.text("cwd"), table.textMap("env")];
  if ((url === undefined) === (program === undefined)) {
    table.refuse(null, "a host needs either a url or a program");
  }
  if (url !== undefined) {
    for (const key of ["args", "cwd", "env"]) {
      if (table.keys().includes(key)) table.refuse(key, `${key} goes with program, not with url`);
    }
    const problem = urlProblem(url);
    if (problem !== null) table.refuse("url", problem);
    return {
      kind: "url",
      url: url.trim(),
      tokenFile: tokenFile === undefined ? null : pathBeside(directory, tokenFile, env),
    };
  }
  if (tokenFile !== undefined) table.refuse("token_file", "token_file goes with url, not with program");
  if (program!.trim() === "") table.refuse("program", "a program needs a name");
  return {
    kind: "program",
    program: program!.trim(),
    args: args ?? [],
    env: extra ?? {},
    cwd: cwd === undefined ? null : pathBeside(directory, cwd, env),
  };
}

function defaultFrom(root: StrictTable, hosts: ReadonlyMap<string, Host>): string | null {
  const name = root.text("default")?.trim();
  if (name === undefined) return null;
  if (name.toLowerCase() === "none") return "none";
  if (name === "local" || hosts.has(name)) return name;
  return root.refuse("default", `there is no host \`${name}\``);
}
