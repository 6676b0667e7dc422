import { expect } from "bun:test";
import { CHILD_ENV, Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { onEachTarget } from "./on_each_target.ts";

/** What `env` printed, by name. */
function variables(text: string): Record<string, string> {
  const lines = text.replaceAll("\r", "").split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

type Policy = {
  inherit: string;
  ignoreDefaultExcludes: boolean;
  exclude: string[];
  set: Record<string, string>;
  includeOnly: string[];
};

const ALL: Policy = { inherit: "all", ignoreDefaultExcludes: true, exclude: [], set: {}, includeOnly: [] };

onEachTarget(({ target, test }) => {
  test("52 without a policy the child gets exactly env", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const environments: Record<string, string>[] = [
      {},
      { A: "1" },
      { A: "1", a: "2", "B C": "x=y", EMPTY: "", UMLAUT: "é", MY_TOKEN: "t" },
    ];
    for (const env of environments) {
      for (const envPolicy of [null, undefined]) {
        const { stdout } = await peer.run({ argv: ["/usr/bin/env"], env, envPolicy });
        expect(variables(stdout)).toEqual(env);
      }
    }
  });

  test("52 on a terminal SHELL is added where env lacks it, and nothing else", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { SHELL, ...others } = variables(
      (await peer.run({ argv: ["/usr/bin/env"], env: { A: "1" }, tty: true })).pty,
    );
    expect(SHELL).toMatch(/^\//);
    expect(others).toEqual({ A: "1" });
    const given = await peer.run({ argv: ["/usr/bin/env"], env: { SHELL: "mine" }, tty: true });
    expect(variables(given.pty)).toEqual({ SHELL: "mine" });
  });

  test("53 a policy inherits, excludes, sets, includes and overlays, in this order", async () => {
    const inherited = {
      ...{
        PATH: CHILD_ENV.PATH,
        path: "lower",
        HOME: "/home/x",
        LANG: "C",
        USER: "u",
        FOO: "foo",
        FOO_A: "a",
      },
      ...{ MONKEY: "m", My_Secret: "s", token: "t", FxO: "x", "F.O": "dot", "F[O": "bracket" },
    };
    const core = { path: "lower", HOME: "/home/x", LANG: "C", USER: "u" };
    const { PATH: _path, ...all } = inherited;
    const { MONKEY: _monkey, My_Secret: _secret, token: _token, ...allowed } = all;
    await using server = await target.serve({ env: inherited });
    await using peer = await Peer.ready(server.url);
    const others = ["NEW", "MY_KEY", "OTHER", "S"];
    const seen = async (policy: Partial<Policy>, env: Record<string, string> = {}) => {
      const { stdout } = await peer.run({ argv: ["/usr/bin/env"], env, envPolicy: { ...ALL, ...policy } });
      // PATH and what a server adds to its own environment are not the subject.
      return Object.fromEntries(
        Object.entries(variables(stdout)).filter(([name]) => name in all || others.includes(name)),
      );
    };
    expect(await seen({})).toEqual(all);
    expect(await seen({ inherit: "none" })).toEqual({});
    expect(await seen({ inherit: "core" })).toEqual(core);
    expect(await seen({ ignoreDefaultExcludes: false })).toEqual(allowed);
    expect(await seen({ inherit: "none", ignoreDefaultExcludes: false, set: { MY_KEY: "k" } })).toEqual({
      MY_KEY: "k",
    });
    // set survives the excludes; includeOnly filters what was set; env is never filtered and wins.
    expect(await seen({ inherit: "core", exclude: ["*"], set: { NEW: "n" } })).toEqual({ NEW: "n" });
    expect(await seen({ set: { NEW: "n", OTHER: "o" }, includeOnly: ["foo_*", "N*"] })).toEqual({
      FOO_A: "a",
      NEW: "n",
    });
    expect(await seen({ set: { S: "set" }, includeOnly: ["S"], exclude: ["*"] }, { S: "env", MY_KEY: "k" }))
      .toEqual({ S: "env", MY_KEY: "k" });
    // Patterns are whole names in any case, where only * and ? mean something.
    const only = async (...includeOnly: string[]) => Object.keys(await seen({ includeOnly })).sort();
    expect(await only("f?o")).toEqual(["F.O", "F[O", "FOO", "FxO"].sort());
    expect(await only("F.O")).toEqual(["F.O"]);
    expect(await only("F[O")).toEqual(["F[O"]);
    expect(await only("F[OX]O")).toEqual([]);
    expect(await only("foo*")).toEqual(["FOO", "FOO_A"]);
    expect(await only("foo**")).toEqual(["FOO", "FOO_A"]);
    expect(await only("FO", "OO", "F??", "?OO?")).toEqual(["F.O", "F[O", "FOO", "FxO"].sort());
    expect(await only("")).toEqual([]);
    expect(await only("*_*")).toEqual(["FOO_A", "My_Secret"]);
  });

  test("53 a policy needs all five members, and inherit is one of three words", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const wrong: object[] = Object.keys(ALL).map((member) => ({ ...ALL, [member]: undefined }));
    wrong.push({ ...ALL, inherit: "All" }, { ...ALL, exclude: null }, { ...ALL, set: { A: 1 } });
    for (const envPolicy of wrong) {
      const { code } = await refusal(peer.start({ argv: ["/bin/true"], envPolicy }));
      expect({ envPolicy, code }).toEqual({ envPolicy, code: -32602 });
    }
    expect((await refusal(peer.start({ argv: ["/bin/true"], envPolicy: { ...ALL, inherit: "b" } }))).message)
      .toContain("unknown variant `b`, expected one of `core`, `all`, `none`");
  });
});
