import { describe, expect, test } from "bun:test";
import { circles } from "./circles.ts";
import { houseMap, parseMap, wrongArrows } from "./house_map.ts";
import { arrowsOf, importsIn, shippedArrows } from "./imports.ts";

describe("the house", () => {
  test("has no arrow that its map does not draw", async () => {
    expect(wrongArrows(await shippedArrows(), await houseMap())).toEqual([]);
  });

  test("has no circle of files", async () => {
    expect(circles(await shippedArrows())).toEqual([]);
  });

  test("starts at main.ts", async () => {
    expect((await shippedArrows()).map(({ from }) => from)).toContain("main.ts");
  });

  test("has a map without circles and without unknown names", async () => {
    const map = await houseMap();
    const arrows = [...map].flatMap(([from, seen]) => [...seen].map((to) => ({ from, to })));
    expect(circles(arrows)).toEqual([]);
    expect(arrows.filter(({ to }) => !map.has(to))).toEqual([]);
  });
});

describe("the search for imports", () => {
  test.each([
    [`import { a } from "./a.ts"; console.log(a);`],
    [`import { unused } from "./a.ts";`],
    [`import type { A } from "./a.ts";`],
    [`import {\n  type A,\n  type B,\n} from "./a.ts";`],
    [`import "./a.ts";`],
    [`export * from "./a.ts";`],
    [`export type { A } from "./a.ts";`],
    [`export const a = async () => await import("./a.ts");`],
    [`export type A = import("./a.ts").A;`],
  ])("finds the one in %s", (source) => {
    expect(importsIn(source)).toEqual(["./a.ts"]);
  });

  test("finds none where none is", () => {
    expect(importsIn(`// import { a } from "./a.ts"\nexport const from = "./a.ts";`)).toEqual([]);
  });
});

describe("the search for wrong arrows", () => {
  const map = parseMap([
    "| room | question | sees |",
    "| --- | --- | --- |",
    "| `lib/low` | what lies below? | nothing |",
    "| `lib/high` (to come) | what stands above? | `lib/low` |",
    "| `lib/high/deep` | what hides inside? | `lib/high` |",
  ].join("\n"));

  test("lets an arrow pass that the map draws, and those within a room", () => {
    const arrows = [
      ...arrowsOf("lib/high/a.ts", `import "../low/b.ts"; import "./c.ts"; import "./more/d.ts";`),
      ...arrowsOf("lib/high/deep/a.ts", `import "../b.ts";`),
    ];
    expect(arrows).toHaveLength(4);
    expect(wrongArrows(arrows, map)).toEqual([]);
  });

  test("names an arrow that goes up, one that skips a room and one that leaves the house", () => {
    const arrows = [
      ...arrowsOf("lib/low/a.ts", `import type { B } from "../high/b.ts";`),
      ...arrowsOf("lib/high/deep/a.ts", `import "../../low/b.ts";`),
      ...arrowsOf("lib/low/c.ts", `import "../../tests/d.ts";`),
      ...arrowsOf("lib/other/e.ts", `import "../low/b.ts";`),
    ];
    expect(wrongArrows(arrows, map)).toEqual([
      "lib/low/a.ts -> lib/high/b.ts: lib/low may not see lib/high",
      "lib/high/deep/a.ts -> lib/low/b.ts: lib/high/deep may not see lib/low",
      "lib/low/c.ts -> tests/d.ts, which is in no room of lib/README.md",
      "lib/other/e.ts is in no room of lib/README.md",
    ]);
  });
});

describe("the search for circles", () => {
  const arrow = (from: string, to: string) => ({ from, to });

  test("passes a diamond", () => {
    expect(circles([arrow("a", "b"), arrow("a", "c"), arrow("b", "d"), arrow("c", "d")])).toEqual([]);
  });

  test("draws a circle, also behind a tail", () => {
    expect(circles([arrow("tail", "a"), arrow("a", "b"), arrow("b", "c"), arrow("c", "a")]))
      .toEqual(["a -> b -> c -> a"]);
  });

  test("draws a file that imports itself", () => {
    expect(circles([arrow("a", "a")])).toEqual(["a -> a"]);
  });
});
