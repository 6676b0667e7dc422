import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FileUriError, fileUriFromPath, parseFileUri } from "../../lib/wire/file_uri.ts";

/** What is said of a text that is no path URI. */
function refusal(text: string): string {
  return messageOf(() => parseFileUri(text));
}

/** What is said of a URI that is no path here. */
function foreign(text: string): string {
  const uri = parseFileUri(text);
  return messageOf(() => uri.toPosixBytes());
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FileUriError) return error.message;
    throw error;
  }
  throw new Error("Accepted");
}

function path(text: string): string {
  return Buffer.from(parseFileUri(text).toPosixBytes()).toString("latin1");
}

/** Empty names before the drive hide it from Codex's first reading, not from its second. */
const HOST_BEFORE_DRIVE = /^file:\/\/[^/]+\/[A-Za-z][:|](?:\/|$)/;

describe("parseFileUri()", () => {
  test("gives the canonical form that Codex gives", () => {
    // As Codex 0.169.0 answered.
    const observed: [string, string][] = [
      ["file:", "file:///"],
      ["file://", "file:///"],
      ["file:/etc", "file:///etc"],
      ["file:etc", "file:///etc"],
      ["FILE:///etc", "file:///etc"],
      ["file://LOCALHOST/etc", "file:///etc"],
      ["file://loc%61lhost/etc", "file:///etc"],
      ["file:////etc//x", "file:///etc//x"],
      ["file:/\\/etc", "file:///etc"],
      ["file:\\\\etc\\x", "file://etc/x"],
      ["file:\\\\\\etc\\x", "file:///etc/x"],
      ["file:///etc/../../..", "file:///"],
      ["file:///a/..//etc", "file:///etc"],
      ["file:///a//../etc", "file:///a/etc"],
      ["file:///a/./b/%2e/c", "file:///a/b/c"],
      ["file:///a/b/.%2E/%2e./c", "file:///c"],
      ["file:///a/b/..", "file:///a/"],
      ["file:///a/.", "file:///a/"],
      ["file:///a//", "file:///a//"],
      ["file:///é😀", "file:///%C3%A9%F0%9F%98%80"],
      [
        "file:///a \"<>`{}\u007f^|[]~!$&'()*+,;=:@\u0001\u001f.",
        "file:///a%20%22%3C%3E%60%7B%7D%7F^|[]~!$&'()*+,;=:@%01%1F.",
      ],
      ["file:///a%2fb%41%zz%4%", "file:///a%2fb%41%zz%4%"],
      [" \u0000file:///x\u001f ", "file:///x"],
      ["f\til\ne:/\t/\n/et\rc", "file:///etc"],
      ["file:///c:/x", "file:///C:/x"],
      ["file:///c:", "file:///C:"],
      ["file://c:/x", "file:///C:/x"],
      ["file:///c:/../../x", "file:///C:/x"],
      ["file:///c%3a/x", "file:///C%3a/x"],
      ["file:///c://x", "file:///C://x"],
      ["file:///a/../c:/x", "file:///C:/x"],
      ["file:///a/b/c:/../../x", "file:///a/b/c:/x"],
      ["file:///C|/x", "file:///C|/x"],
      ["file:/c|/x", "file:///C:/x"],
      ["file://c|/x", "file:///C:/x"],
      ["file:///../d|/x", "file:///D:/x"],
      ["file://server/c|/x", "file:///C:/x"],
      ["file://server/C:/x", "file:///C:/x"],
      ["file://server//c:/x", "file://server/c:/x"],
      ["file://h:/x", "file:///H:/x"],
      ["file://SERVER/share/X", "file://server/share/X"],
      ["file://server", "file://server/"],
      ["file://server/a/../../x", "file://server/x"],
      ["file://0x7f.1/x", "file://127.0.0.1/x"],
      ["file://[::FFFF:1.2.3.4]/x", "file://[::ffff:102:304]/x"],
      ["file://EXÄMPLE/x", "file://xn--exmple-cua/x"],
    ];
    for (const [text, href] of observed) expect([text, parseFileUri(text).href]).toEqual([text, href]);
  });

  test("changes nothing that is canonical", () => {
    const piece = fc.constantFrom(
      ..."/\\aC:|.%^ é\tx",
      "..",
      "%2e",
      "%2f",
      "c:",
      "d|",
      "host",
      "localhost",
      "//",
      "%C3",
      "😀",
    );
    const head = fc.constantFrom("file:", "file:/", "file://", "file:///", "FILE:////", "file://server/");
    fc.assert(
      fc.property(head, fc.array(piece, { maxLength: 12 }), (start, pieces) => {
        let href: string;
        try {
          href = parseFileUri(start + pieces.join("")).href;
        } catch (error) {
          if (error instanceof FileUriError) return;
          throw error;
        }
        fc.pre(!HOST_BEFORE_DRIVE.test(href));
        expect(parseFileUri(href).href).toBe(href);
      }),
      { numRuns: 5000 },
    );
  });

  test("reads a host before a hidden drive twice, as Codex does, and neither reading is a path here", () => {
    const once = parseFileUri("file://server//c:/x");
    const twice = parseFileUri(once.href);
    expect([once.href, twice.href]).toEqual(["file://server/c:/x", "file:///C:/x"]);
    for (const uri of [once, twice]) expect(() => uri.toPosixBytes()).toThrow(FileUriError);
  });

  test("refuses in the words of Codex", () => {
    // As Codex 0.169.0 answered.
    const observed: [string, string][] = [
      ["", "invalid URI: relative URL without a base"],
      ["/etc", "invalid URI: relative URL without a base"],
      ["file", "invalid URI: relative URL without a base"],
      ["//etc/x?", "invalid URI: relative URL without a base"],
      ["\u00a0file:///x", "invalid URI: relative URL without a base"],
      ["http://x/?a", "unsupported path URI scheme `http`"],
      ["http:///x", "unsupported path URI scheme `http`"],
      ["HTTP:?", "invalid URI: empty host"],
      ["ftp://a b/", "invalid URI: invalid international domain name"],
      ["C:\\x", "unsupported path URI scheme `c`"],
      ["a+b.c-d:/", "unsupported path URI scheme `a+b.c-d`"],
      ["file:///x?", "query parameters are not allowed in path URIs"],
      ["file:///%00?a#b", "query parameters are not allowed in path URIs"],
      ["file:#a?b", "fragments are not allowed in path URIs"],
      ["file://h:80/?", "invalid URI: invalid international domain name"],
      ["file://user@h/x", "invalid URI: invalid international domain name"],
      ["file://u:p@h/x", "invalid URI: invalid international domain name"],
      ["file://:80/x", "invalid URI: invalid international domain name"],
      ["file://ho st/x", "invalid URI: invalid international domain name"],
      ["file://a%2fb/x", "invalid URI: invalid international domain name"],
      ["file://%00/x", "invalid URI: invalid international domain name"],
      ["file://a|b/x", "invalid URI: invalid international domain name"],
      ["file://[x/x", "invalid URI: invalid IPv6 address"],
      ["file://[::1]:80/x", "invalid URI: invalid IPv6 address"],
      ["file://256.1.1.1/x", "invalid URI: invalid IPv4 address"],
      ["file:tmp%00", "'file:///tmp%00' is invalid on 'linux'"],
      ["file:///x\u0000y", "'file:///x%00y' is invalid on 'linux'"],
      ["file:///c:/%00", "'file:///c:/%00' is invalid on 'linux'"],
      ["file://Server/%00", "'file://server/%00' is invalid on 'linux'"],
    ];
    for (const [text, detail] of observed) expect([text, refusal(text)]).toEqual([text, detail]);
  });

  test("ends at once on long texts that would tempt a pattern to go back", () => {
    const before = performance.now();
    for (const piece of [" ", "\t", "/", "../", "%2e/", "a", "%00", "\\"]) {
      const long = piece.repeat(300_000);
      for (const text of [`${long}x`, `file:///x${long}y`, `file:${long}`, `file://${long}`]) {
        try {
          parseFileUri(text).toPosixBytes();
        } catch (error) {
          if (!(error instanceof FileUriError)) throw error;
        }
      }
    }
    // Under a second here; going back would take minutes.
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

describe("FileUri.toPosixBytes()", () => {
  test("decodes each name once, to bytes, and drops empty names", () => {
    expect(path("file:///")).toBe("/");
    expect(path("file:///tmp//x/")).toBe("/tmp/x");
    expect(path("file:///%74mp/%ff%2541")).toBe("/tmp/\xff%41");
    expect(path("file:///a%2Fb%zz%4%")).toBe("/a/b%zz%4%");
    expect(path("file:///%2e%2e%2fx")).toBe("/../x");
    expect(path("file:///%43:/C|/c:x")).toBe("/C:/C|/c:x");
  });

  test("refuses paths of other machines", () => {
    for (
      const href of [
        "file:///C:/x",
        "file:///C:",
        "file:///C%3A/x",
        "file:///C%3a",
        "file://server/x",
        "file://[::1]/x",
      ]
    ) {
      expect(foreign(href)).toBe(`'${href}' is invalid on 'linux'`);
    }
  });

  test("reads the reserved form of paths that hold a NUL, and only where it is needed and well written", () => {
    const prefix = "file:///%00/bad/path/";
    expect(path(`${prefix}L3gAeQ`)).toBe("/x\0y");
    expect(path(`file:/%00/x/../bad/path/L2EAYgA`)).toBe("/a\0b\0");
    // As Codex 0.169.0 answered: not absolute, not needed, a Windows path in UTF-16, not normal.
    for (const payload of ["eAA", "L3g", "LwA", "LwBhAA", "LwBh", "Ly8A", "L3gALy4uL3k", "-_8A"]) {
      expect(foreign(prefix + payload)).toBe(`'${prefix + payload}' is invalid on 'linux'`);
    }
    for (const payload of ["", "L3gAeQ==", "L3gAeR", "L3gAeQ/", "L3gAeQ/x", "L3gA%65Q", "/LwA", "*"]) {
      expect(refusal(prefix + payload)).toBe(`'${prefix + payload}' is invalid on 'linux'`);
    }
  });
});

describe("fileUriFromPath()", () => {
  test("encodes what Codex encodes and nothing else", () => {
    const ascii = String.fromCharCode(...Array.from({ length: 127 }, (_, i) => i + 1)).replace("/", "");
    const raw = [...parseFileUri(fileUriFromPath(`/x${ascii}`).href).href.slice("file:///x".length)].join("");
    expect(raw.replace(/%[0-9A-F]{2}/g, "")).toBe(
      "!$&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|~",
    );
    expect(fileUriFromPath("/tmp/a b%c#é").href).toBe("file:///tmp/a%20b%25c%23%C3%A9");
    expect(fileUriFromPath(new Uint8Array([0x2f, 0xff, 0x5c, 0x0a])).href).toBe("file:///%FF%5C%0A");
    expect(fileUriFromPath("//a///b//").href).toBe("file:///a/b");
    expect(fileUriFromPath("/").href).toBe("file:///");
    expect(fileUriFromPath("/x\0y").href).toBe("file:///%00/bad/path/L3gAeQ");
  });

  test("takes absolute paths only", () => {
    for (const relative of ["", "x", "./x", "\0"]) {
      expect(messageOf(() => fileUriFromPath(relative))).toContain("not absolute");
    }
  });

  test("gives a URI that leads back to the same bytes", () => {
    const byte = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 255 }) },
      fc.constantFrom(...Buffer.from("/.%:\\ 2fF")),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 40 }), (tail) => {
        const names = splitNames(Buffer.from(tail));
        // Documented: dots are resolved, and a first name like a drive belongs to another machine.
        fc.pre(!names.some((name) => name === "." || name === "..") && !/^[A-Za-z]:$/.test(names[0] ?? ""));
        const uri = fileUriFromPath(Buffer.from([0x2f, ...tail]));
        expect(Buffer.from(uri.toPosixBytes()).toString("latin1")).toBe(`/${names.join("/")}`);
        expect(parseFileUri(uri.href).href).toBe(uri.href);
      }),
      { numRuns: 5000 },
    );
  });

  test("gives a URI that leads back to a path with a NUL", () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 12 }).filter((bytes) =>
      !bytes.includes(0x2f) && !/^\.{1,2}$/.test(Buffer.from(bytes).toString("latin1"))
    );
    fc.assert(fc.property(name, name, (one, other) => {
      const bytes = Buffer.from([0x2f, 0x61, ...one, 0, 0x2f, ...other]);
      expect(Buffer.from(parseFileUri(fileUriFromPath(bytes).href).toPosixBytes())).toEqual(bytes);
    }));
  });
});

function splitNames(bytes: Buffer): string[] {
  return bytes.toString("latin1").split("/").filter((name) => name !== "");
}
