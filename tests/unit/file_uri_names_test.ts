import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FileUriError, fileUriFromPath, parseFileUri } from "../../lib/wire/file_uri.ts";
import { basename, join, parent, startsWith } from "../../lib/wire/file_uri_names.ts";

const reserved = "file:///%00/bad/path/L3gAeQ";
const name = fc.string({ unit: "binary", minLength: 1 }).map((text) => text.replace(/[/\0]/g, "_")).filter((
  text,
) => text !== "." && text !== ".." && !/^[A-Za-z]:$/.test(text));

describe("basename()", () => {
  test("is the last name, decoded where it is UTF-8", () => {
    const named: [string, string | null][] = [
      ["file:///a/b%20c", "b c"],
      ["file:///a/b//", "b"],
      ["file:///a/%C3%A9", "é"],
      ["file:///a/%ff", "%ff"],
      ["file:///", null],
      ["file:///C:/", null],
      ["file:///C:/x", "x"],
      ["file://host/share", null],
      ["file://host/share/x", "x"],
      [reserved, null],
    ];
    for (const [href, expected] of named) {
      expect([href, basename(parseFileUri(href))]).toEqual([href, expected]);
    }
  });
});

describe("parent()", () => {
  test("goes up to the root and stops there", () => {
    const parents: [string, string | null][] = [
      ["file:///a/b/", "file:///a"],
      ["file:///a", "file:///"],
      ["file:///", null],
      ["file:///C:/x", "file:///C:"],
      ["file:///C:/", null],
      ["file://host/share/x", "file://host/share"],
      ["file://host/share", null],
      [reserved, null],
    ];
    for (const [href, expected] of parents) {
      expect([href, parent(parseFileUri(href))?.href ?? null]).toEqual([href, expected]);
    }
  });
});

describe("join()", () => {
  const joined = (href: string, text: string) => join(parseFileUri(href), text).href;

  test("reads a native text from there", () => {
    expect(joined("file:///a/b", "c/./d//e")).toBe("file:///a/b/c/d/e");
    expect(joined("file:///a/b", "../../../c")).toBe("file:///c");
    expect(joined("file:///a/b", "/x/../y")).toBe("file:///y");
    expect(joined("file:///a/b", "")).toBe("file:///a/b");
    expect(joined("file:///a/b", ".")).toBe("file:///a/b");
    expect(joined("file:///a", "%2e%2e/b#c?d\\e é")).toBe("file:///a/%252e%252e/b%23c%3Fd%5Ce%20%C3%A9");
    expect(joined("file:///a", "t\tl\nr\r ")).toBe("file:///a/t%09l%0Ar%0D%20");
  });

  test("refuses a NUL, more to a reserved path, and paths of other machines", () => {
    for (
      const [href, text] of [["file:///a", "b\0"], [reserved, "x"], ["file:///C:/x", "y"], [
        "file://host/share",
        "y",
      ]]
    ) {
      expect(() => joined(href, text)).toThrow(FileUriError);
    }
    expect(joined(reserved, "")).toBe(reserved);
    expect(joined(reserved, "/x")).toBe("file:///x");
  });

  test("is undone by parent(), and basename() gives the name back", () => {
    fc.assert(fc.property(fc.array(name), name, (names, last) => {
      const base = fileUriFromPath(`/${names.join("/")}`);
      const child = join(base, last);
      expect(parent(child)?.href).toBe(base.href);
      expect(basename(child)).toBe(last);
      expect(startsWith(child, base)).toBe(true);
      expect(startsWith(base, child)).toBe(false);
    }));
  });
});

describe("startsWith()", () => {
  const within = (href: string, base: string) => startsWith(parseFileUri(href), parseFileUri(base));

  test("compares name by name, on the same machine", () => {
    expect(within("file:///a/b", "file:///a")).toBe(true);
    expect(within("file:///a/b", "file:///a/b/")).toBe(true);
    expect(within("file:///a", "file:///")).toBe(true);
    expect(within("file:///%61/b", "file:///a")).toBe(true);
    expect(within("file:///ab", "file:///a")).toBe(false);
    expect(within("file:///a", "file:///a/b")).toBe(false);
    expect(within("file://host/a/b", "file:///a")).toBe(false);
  });

  test("is false where a name hides a slash or the path is reserved, unless it is the same reserved path", () => {
    expect(within("file:///a/b%2F..%2F..", "file:///a")).toBe(false);
    expect(within("file:///a%2fb/c", "file:///a%2fb")).toBe(false);
    expect(within(reserved, "file:///")).toBe(false);
    expect(within("file:///x", reserved)).toBe(false);
    expect(within(reserved, reserved)).toBe(true);
  });
});
