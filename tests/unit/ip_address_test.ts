import { expect, test } from "bun:test";
import * as net from "node:net";
import fc from "fast-check";
import { isIPv4, isIPv6 } from "../../lib/server/ip_address.ts";

const TEXTS = [
  "",
  "1.2.3.4",
  "01.2.3.4",
  "1.2.3",
  "1.2.3.4.",
  "1.2.3.256",
  "0x7f.1",
  "127.1",
  "2130706433",
  "::",
  "::1",
];
const MORE = [
  "1::2::3",
  "::ffff:1.2.3.4",
  "fe80::1",
  "FE80::A",
  ":::",
  "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7:8:9",
  "::1]/[",
];

test.each([...TEXTS, ...MORE])("%p is an address exactly where node:net says so", (text) => {
  expect([isIPv4(text), isIPv6(text)]).toEqual([net.isIPv4(text), net.isIPv6(text)]);
});

test("any address, and any text of the same characters, is judged as node:net judges it", () => {
  const nearly = fc.string({ unit: fc.constantFrom(..."0123456789abcdefF:."), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly), (text) => {
      expect([text, isIPv4(text), isIPv6(text)]).toEqual([text, net.isIPv4(text), net.isIPv6(text)]);
    }),
    { numRuns: 2_000 },
  );
});
