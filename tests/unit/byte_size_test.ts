import { expect, test } from "bun:test";
import { parseByteSize } from "../../cli/byte_size.ts";

test("a size is bytes, or so many of a unit of 1024 of the one before", () => {
  const sizes = {
    "0": 0,
    "17": 17,
    "17b": 17,
    "1k": 1024,
    "1.5KiB": 1536,
    "2MB": 2 ** 21,
    "1GiB": 2 ** 30,
    "3t": 3 * 2 ** 40,
  };
  for (const [text, bytes] of Object.entries(sizes)) {
    expect({ text, bytes: parseByteSize(text) }).toEqual({ text, bytes });
  }
});

test("anything else is no size", () => {
  for (const text of ["", "k", "1 k", "-1", "1x", "1e3", "1ki b", "0x10", "9999999t"]) {
    expect({ text, bytes: parseByteSize(text) }).toEqual({ text, bytes: null });
  }
});
