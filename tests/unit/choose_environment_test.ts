import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { inspect } from "node:util";
import { join } from "@std/path";
import { type Choice, chooseEnvironment } from "../../cli/place/choose_environment.ts";
import type { Flags } from "../../cli/command.ts";
import { CommandError } from "../../cli/exit_status.ts";
import { addressOf } from "../../cli/place/open_choice.ts";

const TOKEN = "open-sesame";
let home: string;
let tokenFile: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "exec-server-choose-"));
  tokenFile = join(home, "token");
  await Bun.write(tokenFile, `${TOKEN}\n`);
  await Bun.write(
    join(home, "config/exec-server/config.toml"),
    `default = "box"\n[hosts.box]\nurl = "ws://config:1"\ntoken_file = "${tokenFile}"\n[hosts.pipe]\nprogram = "ssh"\n[hosts.open]\nurl = "ws://open:1"\n`,
  );
  await Bun.write(join(home, "empty/exec-server/config.toml"), "");
  await Bun.write(join(home, "broken/exec-server/config.toml"), 'default = "box"\n');
  await Bun.write(join(home, "off/exec-server/config.toml"), 'default = "none"\n');
  await Bun.write(
    join(home, "codex/environments.toml"),
    'default = "cloud"\n[[environments]]\nid = "cloud"\nurl = "ws://127.0.0.1:2"\nconnect_timeout_sec = 3\n',
  );
  await Bun.write(join(home, "codex-broken/environments.toml"), 'default = "nobody"\n');
  await Bun.write(join(home, "codex-local/environments.toml"), "");
});

afterAll(() => rm(home, { recursive: true, force: true }));

function flagsOf(given: Record<string, string>): Flags {
  return {
    has: (name) => name in given,
    text: (name) => given[name],
    texts: (name) => (given[name] === undefined ? [] : [given[name]]),
  };
}

interface Given {
  readonly flags?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly config?: string;
  readonly codex?: string;
}

function choose({ flags = {}, env = {}, config, codex }: Given): Promise<Choice> {
  const surroundings = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, config ?? "nothing"),
    CODEX_HOME: join(home, codex ?? "nothing"),
    ...env,
  };
  return chooseEnvironment(flagsOf(flags), { command: "info", env: surroundings, status: 77 });
}

async function refusal(given: Given): Promise<string> {
  const error = await choose(given).then(() => null, (reason: unknown) => reason);
  if (!(error instanceof CommandError)) throw error ?? new Error("It was not refused");
  expect(error.hint).not.toBeNull();
  return `${error.status} ${error.message}`;
}

const ALL: Given = {
  flags: { server: "ws://flag:1" },
  env: { EXEC_SERVER_URL: "ws://ours:1", CODEX_EXEC_SERVER_URL: "ws://theirs:1" },
  config: "config",
  codex: "codex",
};

describe("which environment is meant", () => {
  test("a flag goes before EXEC_SERVER_URL, that before CODEX_EXEC_SERVER_URL, that before the files", async () => {
    const { flags: _, ...noFlag } = ALL;
    const { EXEC_SERVER_URL: __, ...codexOnly } = ALL.env!;
    const inOrder = [
      ALL,
      noFlag,
      { ...noFlag, env: codexOnly },
      { ...noFlag, env: {} },
      { codex: "codex" },
      { config: "empty", codex: "codex" },
      {},
    ];
    const addresses: string[] = [];
    for (const given of inOrder) addresses.push(addressOf(await choose(given)));
    expect(addresses).toEqual([
      "ws://flag:1",
      "ws://ours:1",
      "ws://theirs:1",
      "ws://config:1",
      "ws://127.0.0.1:2",
      "ws://127.0.0.1:2",
      "this machine",
    ]);
  });

  test("says who said so", async () => {
    expect((await choose(ALL)).saidBy).toBe("--server");
    expect((await choose({ config: "config" })).saidBy).toEndWith("config.toml");
    expect((await choose({ codex: "codex-local" })).saidBy).toEndWith("environments.toml");
    expect((await choose({})).saidBy).toBeNull();
  });

  test("--host names one of config.toml, one of environments.toml, or this machine", async () => {
    const files = { config: "config", codex: "codex" };
    expect(await choose({ ...files, flags: { host: "pipe" } })).toMatchObject({
      id: "pipe",
      spec: { program: "ssh" },
    });
    expect(await choose({ ...files, flags: { host: "cloud" } })).toMatchObject({
      id: "cloud",
      spec: { connectTimeoutMs: 3000 },
    });
    expect(await choose({ ...files, flags: { host: "local" } })).toEqual({ kind: "local", saidBy: "--host" });
    expect(await refusal({ ...files, flags: { host: "nobody" } })).toBe(
      "77 unknown host nobody; there are local, box, pipe, open, cloud",
    );
  });

  test("files are not looked into when something before them decided", async () => {
    const files = { config: "broken", codex: "codex-broken" };
    await choose({ ...files, flags: { server: "ws://x" } });
    await choose({ ...files, env: { EXEC_SERVER_URL: "ws://x" } });
    expect(await refusal(files)).toContain("config.toml: there is no host `box` (in `default`, line 1)");
    expect(await refusal({ codex: "codex-broken" })).toBe(
      "77 default environment `nobody` is not configured",
    );
  });

  test.each<[string, Given]>([
    ["--server", { flags: { server: "none" } }],
    ["--host", { flags: { host: "NONE" } }],
    ["EXEC_SERVER_URL", { env: { EXEC_SERVER_URL: " none " } }],
    ["CODEX_EXEC_SERVER_URL", { env: { CODEX_EXEC_SERVER_URL: "None" }, config: "config" }],
    ["`default` in", { config: "off" }],
  ])("none is refused, and it is said who said it: %s", async (saidBy, given) => {
    expect(await refusal(given)).toStartWith(`77 running commands is switched off by ${saidBy}`);
  });

  test("a relay's variables are refused", async () => {
    const noise = {
      CODEX_EXEC_SERVER_NOISE_REGISTRY_URL: "x",
      CODEX_EXEC_SERVER_NOISE_ENVIRONMENT_ID: "y",
      CODEX_EXEC_SERVER_NOISE_AUTH_TOKEN: "z",
    };
    expect(await refusal({ env: noise })).toBe("77 noise environments are not supported");
  });

  test.each([
    ["2 --server: a server's URL begins with ws://, wss:// or unix:/", { flags: { server: "devbox" } }],
    ["77 EXEC_SERVER_URL: a server's URL begins with", { env: { EXEC_SERVER_URL: "http://x" } }],
    ["2 --server: the port is too large, 65535 is the last; give a URL such as ws://", {
      flags: { server: "ws://127.0.0.1:99999" },
    }],
    ["2 --server: a URL takes no user name and no password; put the token into a file; give a URL such as", {
      flags: { server: `ws://me:${TOKEN}@x` },
    }],
    ["2 --server and --host exclude each other", { flags: { server: "ws://x", host: "box" } }],
  ])("what is no server is refused: %s", async (message, given) => {
    expect(await refusal(given)).toStartWith(message);
    expect(await refusal(given)).not.toContain(TOKEN);
  });
});

describe("the certificates to trust", () => {
  const caOf = (choice: Choice) =>
    choice.kind === "remote" && choice.spec.kind === "url" ? choice.spec.tlsCa : undefined;

  test("come from the file of --tls-ca, whatever else stands in it", async () => {
    const file = join(home, "authority.pem");
    const pem = "Ours\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n";
    await Bun.write(file, pem);
    expect(caOf(await choose({ flags: { server: "wss://x", "tls-ca": file } }))).toBe(pem);
  });

  test.each([["abc"], [""], ["-----BEGIN PRIVATE KEY-----\nAAAA\n"]])(
    "are refused where the file holds none: %j",
    async (text) => {
      const file = join(home, "no-authority.pem");
      await Bun.write(file, text);
      expect(await refusal({ flags: { server: "wss://x", "tls-ca": file } })).toBe(
        `77 no certificate in ${file}`,
      );
    },
  );
});

describe("the token", () => {
  const revealed = (choice: Choice) =>
    choice.kind === "remote" && choice.spec.kind === "url" ? choice.spec.token?.reveal() : undefined;

  test("comes from the flag's file, from EXEC_SERVER_TOKEN_FILE or from the host's", async () => {
    const server = { server: "ws://x" };
    expect(revealed(await choose({ flags: { ...server, "token-file": tokenFile } }))).toBe(TOKEN);
    expect(revealed(await choose({ flags: server, env: { EXEC_SERVER_TOKEN_FILE: tokenFile } }))).toBe(TOKEN);
    expect(revealed(await choose({ config: "config" }))).toBe(TOKEN);
    expect(revealed(await choose({ flags: { host: "cloud", "token-file": tokenFile }, codex: "codex" })))
      .toBe(TOKEN);
    expect(revealed(await choose({ flags: server }))).toBeUndefined();
  });

  test("of the variable is not sent to a configured host, for which it was not meant", async () => {
    const env = { EXEC_SERVER_TOKEN_FILE: tokenFile };
    for (const host of ["open", "cloud"]) {
      expect(revealed(await choose({ flags: { host }, env, config: "config", codex: "codex" })))
        .toBeUndefined();
    }
  });

  test("is not to be seen in what was chosen", async () => {
    const choice = await choose({ config: "config" });
    expect(inspect(choice, { depth: null }) + JSON.stringify(choice)).not.toContain(TOKEN);
  });

  test("that cannot be read, is empty or is no word is refused", async () => {
    const withFile = (file: string) => refusal({ flags: { server: "ws://x", "token-file": file } });
    expect(await withFile("/no/such/token")).toBe(
      "77 cannot read the token in /no/such/token: No such file or directory (os error 2)",
    );
    await Bun.write(join(home, "blank"), " \n");
    expect(await withFile(join(home, "blank"))).toEndWith("is empty");
    await Bun.write(join(home, "words"), `${TOKEN} ${TOKEN}`);
    expect(await withFile(join(home, "words"))).toEndWith("is not one word");
  });
});

describe("an address that is shown", () => {
  test("leaves out what may be secret", async () => {
    expect(addressOf(await choose({ flags: { server: "ws://x/y?token=1#z" } }))).toBe("ws://x/y");
  });
});

test("choosing this machine loads neither TOML nor what a server needs", async () => {
  const script = `
    const { chooseEnvironment } = await import(${
    JSON.stringify(join(import.meta.dir, "../../cli/place/choose_environment.ts"))
  });
    const { openChoice } = await import(${
    JSON.stringify(join(import.meta.dir, "../../cli/place/open_choice.ts"))
  });
    const flags = { has: () => false, text: () => undefined, texts: () => [] };
    await openChoice(await chooseEnvironment(flags, { command: "run", env: { HOME: "/nowhere" } }));
    console.log(JSON.stringify(Object.keys(require.cache)));
  `;
  await using child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const loaded = JSON.parse(await child.stdout.text()) as string[];
  expect(loaded.some((path) => path.endsWith("local_environment.ts"))).toBe(true);
  expect(loaded.filter((path) => /smol-toml|\/zod\/|lib\/(?:client|wire|rpc|transport|server)\//.test(path)))
    .toEqual([]);
});
