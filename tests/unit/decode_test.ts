import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as z from "zod/mini";
import {
  DecodeError,
  decodeParams,
  flag,
  noParams,
  nullable,
  optional,
  struct,
  text,
  textMap,
  texts,
  u16,
  u64,
  unchecked,
  usize,
  variants,
} from "../../lib/wire/decode.ts";
import { parseMessage } from "../../lib/wire/parse_json.ts";

const policy = struct("ExecEnvPolicy", {
  inherit: variants("core", "all", "none"),
  ignoreDefaultExcludes: flag(),
  exclude: texts(),
});
const start = struct("WireExecParams", {
  processId: text(),
  argv: texts(),
  cwd: text(),
  env: textMap(),
  tty: flag(),
  pipeStdin: optional(flag(), false),
  arg0: nullable(text()),
  envPolicy: nullable(policy),
  sandbox: unchecked(),
});
const read = struct("ReadParams", {
  processId: text(),
  afterSeq: nullable(u64()),
  maxBytes: nullable(usize()),
});
const complete = { processId: "p", argv: ["a"], cwd: "file:///", env: {}, tty: false };

function refusal<T>(schema: z.ZodMiniType<T>, params: unknown): string {
  try {
    decodeParams(schema, params);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  throw new Error(`Accepted ${JSON.stringify(params)}`);
}

/** The value as it comes off the wire: numbers keep being told from integers. */
function wire(json: string): unknown {
  return parseMessage(`{"params":${json}}`).value["params"];
}

describe("decodeParams()", () => {
  test("fills in what may be absent and leaves out what is unknown", () => {
    expect(decodeParams(start, { ...complete, extra: [1] })).toEqual({
      ...complete,
      pipeStdin: false,
      arg0: null,
      envPolicy: null,
    });
    expect(decodeParams(start, { ...complete, sandbox: { any: 1 } }).sandbox).toEqual({ any: 1 });
    expect(decodeParams(read, { processId: "p", afterSeq: null, maxBytes: 0 })).toEqual({
      processId: "p",
      afterSeq: null,
      maxBytes: 0,
    });
  });

  test("refuses each wrong member in the words of Codex", () => {
    // As Codex 0.169.0 answered to process/start.
    const observed: [string, string][] = [
      ["null", "invalid type: null, expected struct WireExecParams"],
      ["5", "invalid type: number, expected struct WireExecParams"],
      ["1.5", "invalid type: number, expected struct WireExecParams"],
      ["true", "invalid type: boolean `true`, expected struct WireExecParams"],
      ['"x"', 'invalid type: string "x", expected struct WireExecParams'],
      ["{}", "missing field `processId`"],
      ['{"processId":"p"}', "missing field `argv`"],
      ['{"processId":5}', "invalid type: number, expected a string"],
      ['{"processId":null}', "invalid type: null, expected a string"],
      ['{"processId":true}', "invalid type: boolean `true`, expected a string"],
      ['{"processId":{}}', "invalid type: map, expected a string"],
      ['{"processId":[]}', "invalid type: sequence, expected a string"],
      ['{"processId":1.5}', "invalid type: number, expected a string"],
      ['{"argv":"x"}', 'invalid type: string "x", expected a sequence'],
      ['{"argv":null}', "invalid type: null, expected a sequence"],
      ['{"argv":{"0":"a"}}', "invalid type: map, expected a sequence"],
      ['{"argv":["a",5,null]}', "invalid type: number, expected a string"],
      ['{"argv":[null]}', "invalid type: null, expected a string"],
      ['{"env":null}', "invalid type: null, expected a map"],
      ['{"env":[]}', "invalid type: sequence, expected a map"],
      ['{"env":{"a":"b","c":5}}', "invalid type: number, expected a string"],
      ['{"env":{"__proto__":null}}', "invalid type: null, expected a string"],
      ['{"tty":null}', "invalid type: null, expected a boolean"],
      ['{"tty":5}', "invalid type: number, expected a boolean"],
      ['{"tty":"x\\n\\"é"}', 'invalid type: string "x\\n\\"é", expected a boolean'],
      ['{"pipeStdin":null}', "invalid type: null, expected a boolean"],
      ['{"arg0":5}', "invalid type: number, expected a string"],
      ['{"envPolicy":5}', "invalid type: number, expected struct ExecEnvPolicy"],
      ['{"envPolicy":"x"}', 'invalid type: string "x", expected struct ExecEnvPolicy'],
      ['{"envPolicy":{}}', "missing field `inherit`"],
      ['{"envPolicy":{"inherit":"b"}}', "unknown variant `b`, expected one of `core`, `all`, `none`"],
      ['{"envPolicy":{"inherit":5}}', "invalid type: number, expected string or map"],
      ['{"envPolicy":{"inherit":null}}', "invalid type: null, expected string or map"],
      ['{"envPolicy":{"inherit":[]}}', "invalid type: sequence, expected string or map"],
      ['{"envPolicy":{"inherit":"core"}}', "missing field `ignoreDefaultExcludes`"],
    ];
    for (const [json, detail] of observed) expect([json, refusal(start, wire(json))]).toEqual([json, detail]);
    expect(refusal(policy, [])).toBe("invalid length 0, expected struct ExecEnvPolicy with 3 elements");
  });

  test("takes what is absent for null", () => {
    expect(refusal(start, undefined)).toBe("invalid type: null, expected struct WireExecParams");
    expect(refusal(z.object({ a: text() }), undefined)).toBe("invalid type: null, expected a map");
  });

  test("finds wrong members in the order of the message, and missing ones after them in that of the schema", () => {
    expect(refusal(start, { processId: "p", env: 5 })).toBe("invalid type: number, expected a map");
    expect(refusal(start, { env: 5, cwd: 5 })).toBe("invalid type: number, expected a map");
    expect(refusal(start, { cwd: 5, env: 5 })).toBe("invalid type: number, expected a string");
    expect(refusal(start, { tty: 5, envPolicy: {} })).toBe("invalid type: number, expected a boolean");
    expect(refusal(start, { envPolicy: {}, tty: 5 })).toBe("missing field `inherit`");
    expect(refusal(start, { tty: true, cwd: "" })).toBe("missing field `processId`");
  });

  test("reads u64 as written: no fraction, no exponent, no sign, no more than 64 bits", () => {
    for (const wrong of ["-1", "1.5", "1.0", "0.0", "1e0", "18446744073709551616", "9".repeat(29)]) {
      expect(refusal(read, wire(`{"afterSeq":${wrong}}`))).toBe("invalid number");
      expect(refusal(read, wire(`{"maxBytes":${wrong}}`))).toBe("invalid number");
    }
    for (const right of ["0", "-0", "1", "9007199254740993", "18446744073709551615"]) {
      expect(decodeParams(read, wire(`{"processId":"p","afterSeq":${right}}`)).afterSeq).toBe(Number(right));
    }
    expect(refusal(read, { afterSeq: "1" })).toBe('invalid type: string "1", expected u64');
    expect(refusal(read, { maxBytes: true })).toBe("invalid type: boolean `true`, expected usize");
    expect(refusal(read, { afterSeq: {} })).toBe("invalid type: map, expected u64");
    expect(refusal(read, { afterSeq: [] })).toBe("invalid type: sequence, expected u64");
  });

  test("reads u16 up to 65535", () => {
    const port = struct("Port", { port: u16() });
    expect(decodeParams(port, { port: 65535 })).toEqual({ port: 65535 });
    expect(refusal(port, { port: 65536 })).toBe("invalid number");
    expect(refusal(port, {})).toBe("missing field `port`");
    expect(refusal(port, { port: "1" })).toBe('invalid type: string "1", expected u16');
  });

  test("lists the variants as a sentence", () => {
    expect(refusal(variants("interrupt"), "term")).toBe("unknown variant `term`, expected `interrupt`");
    expect(refusal(variants("read", "replace"), "z")).toBe(
      "unknown variant `z`, expected `read` or `replace`",
    );
    for (const name of ["__proto__", "constructor", "toString", ""]) {
      expect(refusal(variants("interrupt"), name)).toBe(
        `unknown variant \`${name}\`, expected \`interrupt\``,
      );
    }
  });

  test("takes nothing, null or {} where there are no parameters", () => {
    for (const nothing of [undefined, null, {}]) {
      expect(() => decodeParams(noParams(), nothing)).not.toThrow();
    }
    expect(refusal(noParams(), { a: 1 })).toBe("invalid type: map, expected unit");
    expect(refusal(noParams(), [])).toBe("invalid type: sequence, expected unit");
    expect(refusal(noParams(), "x")).toBe('invalid type: string "x", expected unit');
    expect(refusal(noParams(), 5)).toBe("invalid type: number, expected unit");
  });

  test("gives a map of texts that has the peer's names and no others", () => {
    const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "", "a=b"));
    fc.assert(fc.property(fc.array(fc.tuple(name, fc.string())), (entries) => {
      const names = new Map(entries);
      const json = `{${
        Array.from(names, ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()
      }}`;
      const map = decodeParams(textMap(), wire(json));
      expect(new Map(Object.entries(map))).toEqual(names);
      expect("hasOwnProperty" in map).toBe(names.has("hasOwnProperty"));
    }));
  });

  test("finds a map or list of many wrong members as fast as one of few", () => {
    expect(refusal(start, { argv: Array(250_000).fill(5) })).toBe("invalid type: number, expected a string");
  });

  test("shows a text as Rust would, and not more of it than a line or two", () => {
    const shown = (value: string) => refusal(flag(), value);
    expect(shown("a\"b\nc\u0001é\u200b'\\ \u007f\u0085😀\0\t")).toBe(
      `invalid type: string "a\\"b\\nc\\u{1}é\\u{200b}'\\\\ \\u{7f}\\u{85}😀\\0\\t", expected a boolean`,
    );
    expect(shown("e\u0301\u00a0\u00ad\ufeff \u3000\ue000")).toBe(
      'invalid type: string "e\\u{301}\\u{a0}\\u{ad}\\u{feff} \\u{3000}\\u{e000}", expected a boolean',
    );
    expect(shown("x".repeat(1_000_000)).length).toBeLessThan(400);
    expect(refusal(variants("a"), "x".repeat(1_000_000)).length).toBeLessThan(400);
    expect(refusal(variants("a"), "x".repeat(255) + "😀").isWellFormed()).toBe(true);
  });
});
