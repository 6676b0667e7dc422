import { expect, test } from "bun:test";
import { nextHandshake, refusalBefore } from "../../lib/server/handshake.ts";

test("a handshake is initialize, then initialized, which may be said again", () => {
  expect(nextHandshake("new", "initialize accepted")).toBe("requested");
  expect(nextHandshake("requested", "initialized")).toBe("ready");
  expect(nextHandshake("ready", "initialized")).toBe("ready");
});

test("initialized before initialize breaks the protocol, and initialize succeeds once", () => {
  expect(nextHandshake("new", "initialized")).toBeNull();
  expect(nextHandshake("requested", "initialize accepted")).toBeNull();
  expect(nextHandshake("ready", "initialize accepted")).toBeNull();
});

test("a method that comes too early is told what is missing", () => {
  expect(refusalBefore("new", "exec")).toBe("client must call initialize before using exec methods");
  expect(refusalBefore("requested", "environment info")).toBe(
    "client must send initialized before using environment info methods",
  );
  expect(refusalBefore("ready", "exec")).toBeNull();
});
