import { describe, expect, test } from "bun:test";
import { DefaultProvider } from "../../lib/environment/default_provider.ts";
import type { Environment } from "../../lib/environment/environment.ts";
import { EnvironmentManager } from "../../lib/environment/environment_manager.ts";
import type { EnvironmentSnapshot } from "../../lib/environment/environment_provider.ts";
import type { EnvironmentSpec } from "../../lib/environment/environment_spec.ts";
import { NO_CAPABILITIES, NO_ENVIRONMENT } from "../../lib/environment/environment.ts";
import { LocalEnvironment } from "../../lib/environment/local_environment.ts";
import { RemoteEnvironment } from "../../lib/environment/remote_environment.ts";
import { ScriptedConnect, settle } from "../support/scripted_client.ts";

const URL_SPEC: EnvironmentSpec = { kind: "url", url: "ws://127.0.0.1:9" };
const PROGRAM_SPEC: EnvironmentSpec = {
  kind: "program",
  program: "/bin/false",
  args: [],
  env: {},
  cwd: null,
};
const EMPTY: EnvironmentSnapshot = { environments: [], default: null, includeLocal: false };

function managed(snapshot: Partial<EnvironmentSnapshot>) {
  const script = new ScriptedConnect();
  const manager = new EnvironmentManager({ ...EMPTY, ...snapshot }, { connect: () => script.connect });
  return {
    manager,
    script,
    attempts: script.attempts,
    [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose](),
  };
}

function remote(failures: "final" | "retried" = "retried") {
  const script = new ScriptedConnect();
  const environment = new RemoteEnvironment({ id: "far", connect: script.connect, failures });
  return {
    environment,
    attempts: script.attempts,
    [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose](),
  };
}

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "no error", (error: Error) => error.message);

const TRUE = {
  processId: "p",
  argv: ["/bin/sh", "-c", "exit 4"],
  arg0: null,
  cwd: "/",
  env: {},
  envPolicy: null,
  tty: false,
  pipeStdin: false,
  size: null,
  terminalSignalExit: "128+n",
} as const;

describe("the manager", () => {
  test("refuses the id `local`, an empty id, a double id and an unknown default, in this order", () => {
    const refusal = (snapshot: Partial<EnvironmentSnapshot>) => () => managed(snapshot);
    expect(refusal({ environments: [["", URL_SPEC]] })).toThrow(
      "exec-server protocol error: environment id cannot be empty",
    );
    expect(refusal({ environments: [["local", URL_SPEC]], default: "x" })).toThrow(
      "environment id `local` is reserved for EnvironmentManager",
    );
    expect(refusal({ environments: [["a", URL_SPEC], ["a", URL_SPEC]], default: "x" })).toThrow(
      "environment id `a` is duplicated",
    );
    expect(refusal({ environments: [["a", URL_SPEC]], default: "x" })).toThrow(
      "default environment `x` is not configured",
    );
    expect(refusal({ default: "local" })).toThrow("default environment `local` is not configured");
  });

  test("starts nothing when it refuses", async () => {
    const script = new ScriptedConnect();
    const snapshot = { ...EMPTY, environments: [["a", URL_SPEC]] as const, default: "x" };
    expect(() => new EnvironmentManager(snapshot, { connect: () => script.connect })).toThrow();
    await settle();
    expect(script.attempts).toEqual([]);
  });

  test("connects to URLs in the background, and starts a program only when it is used", async () => {
    await using it = managed({ environments: [["a", URL_SPEC], ["b", PROGRAM_SPEC]], default: "b" });
    await settle();
    expect(it.attempts.length).toBe(1);
    const used = it.manager.get("b")!.waitUntilReady();
    await settle();
    expect(it.attempts.length).toBe(2);
    it.attempts[1]!.succeed();
    await used;
  });

  test("knows ids in their order, this machine first, and the default before the others", async () => {
    await using it = managed({
      environments: [["b", PROGRAM_SPEC], ["a", PROGRAM_SPEC]],
      default: "a",
      includeLocal: true,
    });
    expect(it.manager.ids()).toEqual(["local", "b", "a"]);
    expect(it.manager.defaultIds()).toEqual(["a", "local", "b"]);
    expect(it.manager.defaultId).toBe("a");
    expect(it.manager.default?.id).toBe("a");
    expect(it.manager.get("nobody")).toBeNull();
    expect(await it.manager.status("nobody")).toBeNull();
  });

  test("keeps this machine also when the default is disabled", async () => {
    await using it = managed({ includeLocal: true });
    expect([it.manager.default, it.manager.defaultIds(), it.manager.local?.id]).toEqual([null, [], "local"]);
  });

  test("upsert() adds and replaces without changing the default; a startup under way is given up", async () => {
    await using it = managed({ environments: [["a", URL_SPEC]], default: "a" });
    const old = it.manager.get("a")!;
    const waiting = messageOf(old.waitUntilReady());
    await settle();
    const fresh = it.manager.upsert("a", { kind: "url", url: " ws://127.0.0.1:8 " });
    expect(await waiting).toBe("exec-server connection attempt failed: environment `a` was replaced");
    expect(it.attempts[0]!.givenUp.aborted).toBe(true);
    expect([it.manager.get("a"), it.manager.defaultId]).toEqual([fresh, "a"]);
    it.manager.upsert("z", URL_SPEC);
    expect(it.manager.defaultIds()).toEqual(["a", "z"]);
  });

  test("upsert() refuses an empty and a disabled URL", async () => {
    await using it = managed({});
    const upsert = (url: string) => () => it.manager.upsert("a", { kind: "url", url });
    expect(upsert(" ")).toThrow("remote environment requires an exec-server url");
    expect(upsert("None")).toThrow("remote environment cannot use disabled exec-server url");
    expect(it.manager.ids()).toEqual([]);
  });

  test("handles of a replaced environment keep working, and end with the manager", async () => {
    const it = managed({ environments: [["a", URL_SPEC]], default: "a" });
    const backend = it.manager.get("a")!.backend();
    await settle();
    const client = it.attempts[0]!.succeed();
    const process = await backend.start({ ...TRUE, argv: ["/bin/cat"], pipeStdin: true });
    it.manager.upsert("a", URL_SPEC);
    expect(await process.write(new TextEncoder().encode("x"), "1")).toBe("accepted");
    expect(client.disposed).toBe(false);
    await it[Symbol.asyncDispose]();
    expect(client.disposed).toBe(true);
    expect(process.log.closed).not.toBeNull();
  });
});

describe("what the variables say", () => {
  const from = (env: Record<string, string>) => new DefaultProvider(env, "/nowhere").snapshot();

  test.each<Record<string, string>>([{}, { EXEC_SERVER_URL: "" }, { CODEX_EXEC_SERVER_URL: "  " }])(
    "nothing: this machine (%j)",
    async (env) => {
      expect(await from(env)).toEqual({ environments: [], default: "local", includeLocal: true });
    },
  );

  test.each(["none", "NONE", " None "])("`%s`: nowhere", async (value) => {
    expect(await from({ CODEX_EXEC_SERVER_URL: value })).toEqual({
      environments: [],
      default: null,
      includeLocal: false,
    });
  });

  test("a URL: that server and nothing else; ours goes before Codex's", async () => {
    expect(await from({ EXEC_SERVER_URL: " ws://a:1 ", CODEX_EXEC_SERVER_URL: "ws://b:2" })).toEqual({
      environments: [["remote", { kind: "url", url: "ws://a:1" }]],
      default: "remote",
      includeLocal: false,
    });
  });

  test("a relay: refused, and half of one too", async () => {
    const noise = {
      CODEX_EXEC_SERVER_NOISE_REGISTRY_URL: "x",
      CODEX_EXEC_SERVER_NOISE_ENVIRONMENT_ID: "y",
      CODEX_EXEC_SERVER_NOISE_AUTH_TOKEN: "z",
    };
    expect(await messageOf(from(noise))).toBe(
      "environment registry configuration error: noise environments are not supported",
    );
    expect(await messageOf(from({ ...noise, CODEX_EXEC_SERVER_NOISE_AUTH_TOKEN: " " }))).toBe(
      "environment registry configuration error: Noise environment requires CODEX_EXEC_SERVER_NOISE_REGISTRY_URL, " +
        "CODEX_EXEC_SERVER_NOISE_ENVIRONMENT_ID, and CODEX_EXEC_SERVER_NOISE_AUTH_TOKEN",
    );
    expect((await from({ CODEX_EXEC_SERVER_NOISE_REGISTRY_URL: " " })).default).toBe("local");
  });
});

describe("a remote environment", () => {
  test("shares its first attempt, and a later use tries again", async () => {
    await using far = remote();
    const both = [far.environment.waitUntilReady(), far.environment.info()].map(messageOf);
    await settle();
    expect(far.attempts.length).toBe(1);
    far.attempts[0]!.fail("nobody there");
    const failure = "exec-server connection attempt failed: nobody there";
    expect(await Promise.all(both)).toEqual([failure, failure]);
    expect(await far.environment.status()).toEqual({ kind: "disconnected", error: failure });

    const later = far.environment.backend().start(TRUE);
    await settle();
    expect(await far.environment.status()).toEqual({ kind: "disconnected", error: failure });
    far.attempts[1]!.succeed();
    expect((await later).processId).toBe("p");
    expect(await far.environment.status()).toEqual({ kind: "ready" });
  });

  test("on stdio its first failure is final, and so is its loss", async () => {
    await using failing = remote("final");
    const first = messageOf(failing.environment.waitUntilReady());
    await settle();
    failing.attempts[0]!.fail("no such program");
    expect(await messageOf(failing.environment.waitUntilReady())).toBe(await first);
    expect(failing.attempts.length).toBe(1);

    await using losing = remote("final");
    const ready = losing.environment.waitUntilReady();
    await settle();
    losing.attempts[0]!.succeed().move({ state: "failed", message: "exec-server transport disconnected" });
    await ready;
    expect(await messageOf(losing.environment.waitUntilReady())).toBe("exec-server transport disconnected");
    expect(losing.attempts.length).toBe(1);
  });

  test("leaves repair to its client, and makes a new one, once, only when that gave up", async () => {
    await using far = remote();
    const ready = far.environment.waitUntilReady();
    await settle();
    const first = far.attempts[0]!.succeed();
    await ready;
    first.move({ state: "recovering", attempt: 1, cause: "cut" });
    await far.environment.waitUntilReady();
    expect(far.attempts.length).toBe(1);
    first.move({ state: "failed", message: "gone" });
    const both = Promise.all([far.environment.waitUntilReady(), far.environment.waitUntilReady()]);
    await settle();
    expect([far.attempts.length, first.disposed]).toEqual([2, true]);
    far.attempts[1]!.succeed();
    await both;
    expect(await far.environment.status()).toEqual({ kind: "ready" });
  });

  test("tells its connection's state on change only, beginning with disconnected", async () => {
    await using far = remote();
    const states: string[] = [];
    const links: string[] = [];
    far.environment.onConnectionState((state) => states.push(state));
    const unsubscribe = far.environment.onLinkState((state) => links.push(state.state));
    const ready = far.environment.waitUntilReady();
    await settle();
    expect(states).toEqual([]);
    const client = far.attempts[0]!.succeed();
    await ready;
    client.move({ state: "recovering", attempt: 1, cause: "cut" });
    client.move({ state: "recovering", attempt: 2, cause: "cut" });
    client.move({ state: "connected" });
    unsubscribe();
    client.move({ state: "failed", message: "gone" });
    expect(states).toEqual(["connected", "disconnected", "connected", "disconnected"]);
    expect(links).toEqual(["recovering", "recovering", "connected"]);
  });

  test("its status starts nothing, is asked anew each time and says why not", async () => {
    await using far = remote();
    expect([await far.environment.status(), far.environment.startupFinished]).toEqual([
      { kind: "pending" },
      false,
    ]);
    await settle();
    expect(far.attempts.length).toBe(0);
    const ready = far.environment.waitUntilReady();
    await settle();
    expect([await far.environment.status(), far.environment.startupFinished]).toEqual([
      { kind: "pending" },
      false,
    ]);
    const client = far.attempts[0]!.succeed();
    await ready;
    expect(far.environment.startupFinished).toBe(true);
    expect([await far.environment.status(), await far.environment.status()]).toEqual([
      { kind: "ready" },
      { kind: "ready" },
    ]);
    expect(client.probes).toBe(2);
    client.probe = () => Promise.reject(new Error("no answer"));
    expect(await far.environment.status()).toEqual({ kind: "disconnected", error: "no answer" });
    client.move({ state: "recovering", attempt: 1, cause: "cut" });
    expect(await far.environment.status()).toEqual({
      kind: "disconnected",
      error: "exec-server environment is recovering",
    });
    expect(client.probes).toBe(3);
  });

  test("seen without reconnecting it never connects and never waits", async () => {
    await using far = remote();
    const quick = far.environment.backend({ reconnect: false });
    expect(await messageOf(quick.start(TRUE))).toBe(
      "exec-server environment is not ready",
    );
    expect(far.attempts.length).toBe(0);
    const ready = far.environment.waitUntilReady();
    await settle();
    const client = far.attempts[0]!.succeed();
    await ready;
    expect((await quick.start(TRUE)).processId).toBe("p");
    client.move({ state: "recovering", attempt: 1, cause: "cut" });
    expect(await messageOf(quick.start(TRUE))).toBe(
      "exec-server environment is recovering",
    );
    client.move({ state: "failed", message: "transport disconnected: cut" });
    expect(await messageOf(quick.start(TRUE))).toBe("transport disconnected: cut");
    expect(far.attempts.length).toBe(1);
  });

  test("closed while it connects, it lets go of what comes too late", async () => {
    const far = remote();
    const waiting = messageOf(far.environment.waitUntilReady());
    await settle();
    await far.environment[Symbol.asyncDispose]();
    expect(await waiting).toBe("exec-server connection attempt failed: the environment was closed");
    const late = far.attempts[0]!.succeed();
    await settle();
    expect(late.disposed).toBe(true);
    expect(await messageOf(far.environment.waitUntilReady())).toBe("exec-server environment is closed");
    expect(far.attempts.length).toBe(1);
  });

  test("tells paths of its place, not URIs", async () => {
    await using far = remote();
    const info = far.environment.info();
    await settle();
    far.attempts[0]!.succeed();
    expect(await info).toMatchObject({
      cwd: "/tmp/a b",
      home: null,
      version: null,
      extensions: ["terminal.v1"],
    });
  });
});

describe("capabilities", () => {
  test("without execEnabled no backend is given, here or there", async () => {
    await using here: Environment = new LocalEnvironment(NO_CAPABILITIES);
    await using there: Environment = new RemoteEnvironment({
      id: "far",
      connect: new ScriptedConnect().connect,
      failures: "retried",
      capabilities: NO_CAPABILITIES,
    });
    for (const environment of [here, there]) expect(() => environment.backend()).toThrow(NO_ENVIRONMENT);
  });

  test("both are there unless taken away", async () => {
    await using here = new LocalEnvironment();
    await using far = remote();
    for (const { capabilities } of [here, far.environment]) {
      expect(capabilities).toEqual({ execEnabled: true, filesystemEnabled: true });
    }
  });
});

describe("a deferred environment", () => {
  test("connects only once it is complete; who used it before waits", async () => {
    await using it = managed({});
    const registration = it.manager.defer("a", URL_SPEC);
    const started = it.manager.get("a")!.backend().start(TRUE);
    await settle();
    expect([it.attempts.length, await it.manager.status("a")]).toEqual([0, { kind: "pending" }]);
    const roots = [{ id: "r", environmentId: "a", path: "/" }];
    registration.complete({ selectedCapabilityRoots: roots });
    await settle();
    it.attempts[0]!.succeed();
    expect((await started).processId).toBe("p");
    expect((await registration.environment.ready()).selectedCapabilityRoots).toEqual(roots);
  });

  test("connects in the background when it is complete and nobody uses it yet", async () => {
    await using it = managed({});
    it.manager.defer("a", URL_SPEC).complete();
    await settle();
    expect(it.attempts.length).toBe(1);
  });

  test("refused or dropped it is unavailable for ever", async () => {
    await using it = managed({});
    it.manager.defer("a", URL_SPEC).refuse("no quota");
    const error = "environment unavailable: no quota";
    expect(await messageOf(it.manager.get("a")!.waitUntilReady())).toBe(error);
    expect(await messageOf(it.manager.get("a")!.waitUntilReady())).toBe(error);
    expect(await it.manager.status("a")).toEqual({ kind: "disconnected", error });
    {
      using _dropped = it.manager.defer("b", URL_SPEC);
    }
    expect(await messageOf(it.manager.get("b")!.waitUntilReady())).toBe(
      "environment unavailable: environment registration ended before completion",
    );
    expect(it.attempts.length).toBe(0);
  });

  const root = (id: string, environmentId = "a") => ({ id, environmentId, path: "/" });
  test.each([
    ["a blank id", [root(" ")]],
    ["a double id", [root("r"), root("r")]],
    ["a root of another environment", [root("r", "b")]],
  ])("is not complete with %s: both sides are told", async (_, selectedCapabilityRoots) => {
    await using it = managed({});
    const registration = it.manager.defer("a", URL_SPEC);
    const waiting = messageOf(it.manager.get("a")!.waitUntilReady());
    const text = "selected capability roots must have unique non-empty IDs and belong to environment `a`";
    expect(() => registration.complete({ selectedCapabilityRoots })).toThrow(text);
    expect(await waiting).toBe(text);
  });

  test("takes 256 roots and no more", async () => {
    await using it = managed({});
    const roots = Array.from({ length: 257 }, (_, index) => root(`r${index}`));
    expect(() => it.manager.defer("a", URL_SPEC).complete({ selectedCapabilityRoots: roots })).toThrow("256");
    it.manager.defer("a", URL_SPEC).complete({ selectedCapabilityRoots: roots.slice(1) });
  });

  test("ends once: a registration that is over is inactive", async () => {
    await using it = managed({});
    const registration = it.manager.defer("a", URL_SPEC);
    registration.complete();
    expect(() => registration.complete()).toThrow("deferred environment registration is inactive");
    expect(() => registration.refuse("x")).toThrow("deferred environment registration is inactive");
    registration[Symbol.dispose](); // and dropping it changes nothing
    expect(await messageOf(registration.environment.ready())).toBe("no error");
  });

  test("replaced, its completion concerns only who holds it", async () => {
    await using it = managed({});
    const registration = it.manager.defer("a", URL_SPEC);
    it.manager.upsert("a", PROGRAM_SPEC);
    registration.complete();
    await settle();
    expect([it.attempts.length, await it.manager.status("a")]).toEqual([0, { kind: "pending" }]);
    const used = registration.environment.waitUntilReady();
    await settle();
    it.attempts[0]!.succeed();
    await used;
  });
});
