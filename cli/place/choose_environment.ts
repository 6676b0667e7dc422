import { codexHome, environmentsTomlPath } from "../../lib/environment/codex_home.ts";
import { namedByVariable } from "../../lib/environment/default_provider.ts";
import { EnvironmentError } from "../../lib/environment/environment_error.ts";
import type { EnvironmentSnapshot } from "../../lib/environment/environment_provider.ts";
import type { EnvironmentSpec } from "../../lib/environment/environment_spec.ts";
import { isThere } from "../../lib/environment/toml_file.ts";
import type { Flags } from "../command.ts";
import type { Config, Host } from "./config_file.ts";
import { configPath, type Variables } from "./config_path.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { readCertificates, readSecretFile } from "./read_secret_file.ts";
import { urlProblem } from "./url_problem.ts";

/** Where a command was told to work, and who said so; null where nobody did. */
export type Choice =
  | { readonly kind: "local"; readonly saidBy: string | null }
  | {
    readonly kind: "remote";
    /** `remote`, or the name of a configured host. */
    readonly id: string;
    readonly spec: EnvironmentSpec;
    /** null: there is no token, or it stands in Codex's own file. */
    readonly tokenFile: string | null;
    readonly saidBy: string;
  };

export interface ChooseOptions {
  readonly command: string;
  readonly env?: Variables;
  /** What the command ends with when nothing can be chosen. */
  readonly status?: ExitStatus;
}

/**
 * Finds out which environment is meant: a flag, else EXEC_SERVER_URL, else CODEX_EXEC_SERVER_URL, else the default of
 * the configuration, else that of Codex's environments.toml, else this machine. Nothing is connected. Files are only
 * looked into when nothing before them decided, and TOML is only loaded where there is a file.
 * Throws a CommandError.
 */
export async function chooseEnvironment(
  flags: Flags,
  { command, env = process.env, status = EXIT.failed }: ChooseOptions,
): Promise<Choice> {
  try {
    return await new Chooser(flags, env, command, status).choose();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof EnvironmentError) throw new CommandError(error.detail, hintFor(error), status);
    if (error instanceof Error && error.name === "ConfigError") {
      throw new CommandError(error.message, "correct it there, or name a server with -s URL", status);
    }
    throw error;
  }
}

class Chooser {
  constructor(
    private readonly flags: Flags,
    private readonly env: Variables,
    private readonly command: string,
    private readonly status: ExitStatus,
  ) {}

  async choose(): Promise<Choice> {
    const [server, host] = [this.flags.text("server")?.trim(), this.flags.text("host")?.trim()];
    if (server !== undefined && host !== undefined) {
      throw usageError("--server and --host exclude each other", this.command);
    }
    if (server !== undefined) return this.#server(server, "--server");
    if (host !== undefined) return await this.#host(host);
    const named = namedByVariable(this.env);
    if (named !== null) return this.#server(named.url, named.variable);
    return await this.#configured();
  }

  #server(url: string, saidBy: string): Choice {
    if (url.toLowerCase() === "none") throw this.#switchedOff(saidBy);
    const problem = urlProblem(url);
    if (problem !== null) {
      const example = "such as ws://127.0.0.1:7777, as `exec-server serve` prints it";
      if (saidBy === "--server") {
        throw usageError(`${saidBy}: ${problem}; give a URL ${example}`, this.command);
      }
      throw this.#refused(`${saidBy}: ${problem}`, `give it a URL ${example}`);
    }
    const tokenFile = this.flags.text("token-file") ?? (this.env["EXEC_SERVER_TOKEN_FILE"] || null);
    return this.#remote("remote", { kind: "url", url, tokenFile }, saidBy);
  }

  async #host(name: string): Promise<Choice> {
    if (name.toLowerCase() === "none") throw this.#switchedOff("--host");
    if (name === "local") return { kind: "local", saidBy: "--host" };
    const config = await this.#config();
    const host = config?.hosts.get(name);
    if (host !== undefined) return this.#remote(name, host, "--host");
    const codex = await this.#codexFile();
    const spec = codex?.environments.find(([id]) => id === name)?.[1];
    if (spec !== undefined) return this.#fromCodex(name, spec, "--host");
    const known = ["local", ...config?.hosts.keys() ?? [], ...codex?.environments.map(([id]) => id) ?? []];
    throw this.#refused(
      `unknown host ${name}; there are ${known.join(", ")}`,
      `add [hosts.${name}] to ${configPath(this.env)}`,
    );
  }

  async #configured(): Promise<Choice> {
    const config = await this.#config();
    const name = config?.default ?? null;
    if (config !== null && name !== null) {
      const saidBy = `\`default\` in ${configPath(this.env)}`;
      if (name === "none") throw this.#switchedOff(saidBy);
      const host = config.hosts.get(name);
      return host === undefined ? { kind: "local", saidBy } : this.#remote(name, host, saidBy);
    }
    const codex = await this.#codexFile();
    if (codex === null) return { kind: "local", saidBy: null };
    const saidBy = `\`default\` in ${environmentsTomlPath(codexHome(this.env))}`;
    if (codex.default === null) throw this.#switchedOff(saidBy);
    const spec = codex.environments.find(([id]) => id === codex.default)?.[1];
    return spec === undefined ? { kind: "local", saidBy } : this.#fromCodex(codex.default, spec, saidBy);
  }

  #remote(id: string, host: Host, saidBy: string): Choice {
    if (host.kind === "program") return { kind: "remote", id, spec: host, tokenFile: null, saidBy };
    const tokenFile = this.flags.text("token-file") ?? host.tokenFile;
    const caFile = this.flags.text("tls-ca");
    const spec: EnvironmentSpec = {
      kind: "url",
      url: host.url,
      ...(tokenFile === null ? {} : { token: readSecretFile(tokenFile, this.status) }),
      ...(caFile === undefined ? {} : { tlsCa: readCertificates(caFile, this.status) }),
    };
    return { kind: "remote", id, spec, tokenFile, saidBy };
  }

  #fromCodex(id: string, spec: EnvironmentSpec, saidBy: string): Choice {
    const overridden = this.flags.has("token-file") || this.flags.has("tls-ca");
    if (spec.kind !== "url" || !overridden) return { kind: "remote", id, spec, tokenFile: null, saidBy };
    const chosen = this.#remote(id, { kind: "url", url: spec.url, tokenFile: null }, saidBy);
    return chosen.kind === "local" ? chosen : { ...chosen, spec: { ...spec, ...chosen.spec } };
  }

  async #config(): Promise<Config | null> {
    const path = configPath(this.env);
    if (!isThere(path)) return null;
    const { readConfig } = await import("./config_file.ts");
    return readConfig(path, this.env);
  }

  async #codexFile(): Promise<EnvironmentSnapshot | null> {
    const home = codexHome(this.env);
    if (!isThere(environmentsTomlPath(home))) return null;
    const { readEnvironmentsToml } = await import("../../lib/environment/environments_toml.ts");
    return readEnvironmentsToml(home);
  }

  #switchedOff(saidBy: string): CommandError {
    return this.#refused(
      `running commands is switched off by ${saidBy}`,
      "name a server with -s URL, or this machine with --host local",
    );
  }

  #refused(message: string, hint: string): CommandError {
    return new CommandError(message, hint, this.status);
  }
}

function hintFor({ code, detail }: EnvironmentError): string {
  if (code === "registry") {
    return "unset the CODEX_EXEC_SERVER_NOISE_ variables, and name a server with -s URL";
  }
  // Most of Codex's sentences do not say where they found what they complain about.
  const where = /config `.*\.toml`/.test(detail) ? "that file" : "Codex's environments.toml";
  return `correct ${where}, or name a server with -s URL`;
}
