import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { childEnv, type EnvPolicy } from "../../lib/process/local/child_env.ts";
import { ProcessError } from "../../lib/process/process_error.ts";

const nothing: EnvPolicy = {
  inherit: "none",
  ignoreDefaultExcludes: true,
  exclude: [],
  set: {},
  includeOnly: [],
};

/** Of these names the ones that the pattern matches. */
function matching(pattern: string, names: string[]): string[] {
  const set = Object.fromEntries(names.map((name) => [name, "1"]));
  return Object.keys(childEnv({ ...nothing, set, includeOnly: [pattern] }, {}, {}));
}

describe("childEnv()", () => {
  const server = {
    PATH: "/bin",
    path: "/x",
    Lc_All: "C",
    HOME: "/h",
    MONKEY: "m",
    my_secret: "s",
    PATHS: "p",
    GONE: undefined,
  };

  test("gives exactly env without a policy", () => {
    expect(Object.entries(childEnv(null, { A: "1" }, server))).toEqual([["A", "1"]]);
    expect(Object.entries(childEnv(null, {}, server))).toEqual([]);
  });

  test("inherits all, nothing, or the core names in any ASCII case with their spelling kept", () => {
    expect(childEnv({ ...nothing, inherit: "all" }, {}, server)).toEqual({
      PATH: "/bin",
      path: "/x",
      Lc_All: "C",
      HOME: "/h",
      MONKEY: "m",
      my_secret: "s",
      PATHS: "p",
    });
    expect(childEnv(nothing, {}, server)).toEqual({});
    expect(childEnv({ ...nothing, inherit: "core" }, {}, { ...server, "ſHELL": "no", "SHELL\n": "no" }))
      .toEqual({
        PATH: "/bin",
        path: "/x",
        Lc_All: "C",
        HOME: "/h",
      });
  });

  test("drops what looks secret unless told not to", () => {
    const env = childEnv({ ...nothing, inherit: "all", ignoreDefaultExcludes: false }, {}, server);
    expect(Object.keys(env)).toEqual(["PATH", "path", "Lc_All", "HOME", "PATHS"]);
  });

  test("lets set survive every exclude, filters it by includeOnly, and lets env win over all", () => {
    const policy: EnvPolicy = {
      inherit: "all",
      ignoreDefaultExcludes: false,
      exclude: ["*"],
      set: { API_TOKEN: "t", B: "set" },
      includeOnly: [],
    };
    expect(childEnv(policy, {}, server)).toEqual({ API_TOKEN: "t", B: "set" });
    expect(childEnv({ ...policy, includeOnly: ["b*"] }, {}, server)).toEqual({ B: "set" });
    expect(childEnv({ ...policy, includeOnly: ["b*"] }, { B: "env", SECRET: "s" }, server)).toEqual({
      B: "env",
      SECRET: "s",
    });
    expect(childEnv({ ...policy, exclude: [], set: { PATH: "set" } }, { path: "env" }, server)).toMatchObject(
      {
        PATH: "set",
        path: "env",
      },
    );
  });

  test("reads patterns as Codex does", () => {
    // As Codex 0.169.0 answered: the pattern, names, and those of them that stayed.
    const observed: [string, string[], string[]][] = [
      ["É", ["é", "É"], ["é", "É"]],
      ["?", ["a", "é", "😀", "ab", "e\u0301", ""], ["a", "é", "😀"]],
      ["??", ["é", "😀", "ab"], ["ab"]],
      ["K", ["k", "\u212a"], ["k", "\u212a"]],
      ["ss", ["ß", "SS"], ["SS"]],
      ["ß", ["ß", "ẞ", "SS"], ["ß", "ẞ"]],
      ["i", ["I", "İ", "ı"], ["I"]],
      ["σ", ["Σ", "ς"], ["Σ"]],
      ["*σ", ["AΣ"], ["AΣ"]],
      ["ſ", ["s", "S", "ſ"], ["ſ"]],
      ["a?", ["a", "A\n", "a="], ["A\n", "a="]],
      ["*", ["", "a=b", "x\ny"], ["", "a=b", "x\ny"]],
      ["", ["", "a"], [""]],
      ["**", ["q"], ["q"]],
      ["a**?b", ["ab", "acb", "aXYb"], ["acb", "aXYb"]],
      ["[ab]", ["a", "[ab]", "[AB]"], ["[ab]", "[AB]"]],
      ["a.c", ["abc", "a.c"], ["a.c"]],
      ["\\*", ["*", "\\x", "\\*"], ["\\x", "\\*"]],
      ["*a*b*c", ["xaybzc", "XAYBZCd", "abc", "acb"], ["xaybzc", "abc"]],
      ["__proto__", ["constructor"], []],
    ];
    for (const [pattern, names, kept] of observed) {
      expect([pattern, matching(pattern, names)]).toEqual([pattern, kept]);
    }
  });

  test("matches as a regular expression of the same meaning would", () => {
    const symbols = fc.array(fc.constantFrom(..."aAbB*?é."), { maxLength: 8 }).map((list) => list.join(""));
    fc.assert(
      fc.property(symbols, symbols, (pattern, name) => {
        const source = pattern.replace(
          /./gu,
          (symbol) => symbol === "*" ? ".*" : symbol === "?" ? "." : `[${symbol}]`,
        );
        expect(matching(pattern, [name])).toEqual(new RegExp(`^${source}$`, "isu").test(name) ? [name] : []);
      }),
      { numRuns: 5000 },
    );
  });

  test("passes every name on as it is, and no name that nobody gave", () => {
    const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "", "a=b"));
    const variables = fc.array(fc.tuple(name, fc.string())).map((entries) => new Map(entries));
    fc.assert(fc.property(variables, variables, variables, (inherited, set, env) => {
      const policy: EnvPolicy = { ...nothing, inherit: "all", set: Object.fromEntries(set) };
      const result = childEnv(policy, Object.fromEntries(env), Object.fromEntries(inherited));
      expect(new Map(Object.entries(result))).toEqual(new Map([...inherited, ...set, ...env]));
      expect("hasOwnProperty" in result).toBe(
        [inherited, set, env].some((names) => names.has("hasOwnProperty")),
      );
    }));
  });

  test("reaches a real child, whatever the name", async () => {
    const env = childEnv(
      { ...nothing, set: { constructor: "c" } },
      Object.fromEntries([["__proto__", "p"], ["a.b", "d"]]),
      {},
    );
    await using child = Bun.spawn(["/usr/bin/env"], {
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const lines = (await child.stdout.text()).trimEnd().split("\n");
    expect(lines.sort()).toEqual(["__proto__=p", "a.b=d", "constructor=c"]);
  });

  test("is not slowed down by patterns made to go back and forth", () => {
    expect(matching(`${"*a".repeat(100)}b`, ["a".repeat(10_000)])).toEqual([]);
  });

  test("refuses a policy that would take too long, instead of taking long", () => {
    const long = {
      ...nothing,
      set: { ["a".repeat(1_000_000)]: "" },
      includeOnly: [`*${"a".repeat(500_000)}b`],
    };
    const many = {
      ...nothing,
      set: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`N${i}`, ""])),
      includeOnly: Array.from({ length: 10_000 }, (_, i) => `P${i}`),
    };
    for (const policy of [long, many]) {
      const before = performance.now();
      expect(() => childEnv(policy, {}, {})).toThrow(ProcessError);
      // Some 100 ms here; taking them as they are would be hours for the one and seconds for the other.
      expect(performance.now() - before).toBeLessThan(2500);
    }
  });
});
