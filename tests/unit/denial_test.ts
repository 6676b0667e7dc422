import { describe, expect, test } from "bun:test";
import { type Printed, sandboxDenied } from "../../lib/sandbox/denial.ts";

const printed = (stream: Printed["stream"], text: string): Printed => ({ stream, bytes: Buffer.from(text) });
const onStderr = (text: string) => [printed("stderr", text)];

describe("sandboxDenied()", () => {
  const complaints = [
    "touch: cannot touch 'x': Read-only file system",
    "sh: 1: cannot create x: PERMISSION DENIED",
    "ping: socket: Operation not permitted",
    "Bad system call (seccomp)",
    "the Sandbox said no",
    "LandLock",
    "failed to write file /w/x",
  ];
  for (const complaint of complaints) {
    test(`takes "${complaint}" for a denial on every stream, with every code but 0`, () => {
      for (const stream of ["stdout", "stderr", "pty"] as const) {
        for (const code of [1, 2, 126, 127, 101, 159, 255, -1]) {
          expect(sandboxDenied(code, [printed(stream, `before\n${complaint}\nafter`)])).toBe(true);
        }
        expect(sandboxDenied(0, [printed(stream, complaint)])).toBe(false);
      }
    });
  }

  test("without a complaint only an end by SIGSYS is one", () => {
    for (const code of [-1, 0, 1, 2, 3, 101, 126, 127, 128, 137, 143, 158, 160, 255]) {
      expect(sandboxDenied(code, onStderr("it did not work"))).toBe(false);
      expect(sandboxDenied(code, [])).toBe(false);
    }
    expect(sandboxDenied(159, [])).toBe(true);
  });

  test("what merely sounds like a denial is none", () => {
    const others = [
      "EPERM",
      "EACCES",
      "Could not resolve host: x",
      "denied",
      "not permitted",
      "read only file system",
    ];
    for (const text of others) expect(sandboxDenied(1, onStderr(text))).toBe(false);
  });

  test("finds a complaint that chunks, or words of the other stream, cut in two", () => {
    const cut = [printed("stderr", "permission "), printed("stderr", "denied")];
    expect(sandboxDenied(1, cut)).toBe(true);
    expect(sandboxDenied(1, [cut[0]!, printed("stdout", "in between"), cut[1]!])).toBe(true);
    expect(sandboxDenied(1, [printed("stdout", "permission "), printed("stderr", "denied")])).toBe(true);
    expect(
      sandboxDenied(1, [
        printed("stderr", "permission "),
        printed("stdout", "x"),
        printed("stdout", "denied"),
      ]),
    )
      .toBe(false);
  });

  test("a letter that is cut in two disturbs nobody", () => {
    const bytes = Buffer.from("é permission denied");
    const halves = [bytes.subarray(0, 1), bytes.subarray(1)].map((
      half,
    ) => ({ stream: "stdout", bytes: half } as const));
    expect(sandboxDenied(1, halves)).toBe(true);
    expect(sandboxDenied(1, [{ stream: "stdout", bytes: Uint8Array.of(0xff, 0xfe) }, ...onStderr("x")])).toBe(
      false,
    );
  });
});
