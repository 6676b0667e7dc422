import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { EXTENSIONS } from "../../lib/wire/extensions.ts";
import { methods } from "../../lib/wire/methods.ts";
import { houseMap, roomOf } from "./house_map.ts";
import { PROJECT, projectFiles, readProjectFile } from "./project_files.ts";

const FILE = /`([\w./-]+\.(?:ts|json|md|lock))`(?! \(to come\))/g;
const TO_COME = /^\| `([^`]+)` \(to come\)/gm;

const isThere = (path: string) => existsSync(join(PROJECT, path));

describe("lib/README.md", () => {
  test("names only files that exist", async () => {
    const named = [...(await readProjectFile("lib/README.md")).matchAll(FILE)].flatMap(([, path]) =>
      path ?? []
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !isThere(path) && !isThere(`lib/${path}`))).toEqual([]);
  });

  test("has a line for every room", async () => {
    const map = await houseMap();
    const sources = (await projectFiles("lib")).filter((path) => path.endsWith(".ts"));
    expect(sources.filter((path) => roomOf(path, map) === undefined)).toEqual([]);
  });

  test("calls those rooms `to come`, and only those, that have no file yet", async () => {
    const map = await houseMap();
    const promised = [...(await readProjectFile("lib/README.md")).matchAll(TO_COME)].map(([, room]) => room);
    const files = await projectFiles();
    const empty = [...map.keys()].filter((room) => !files.some((path) => roomOf(path, map) === room));
    expect(promised).toEqual(empty);
  });
});

describe("lib/wire/PROTOCOL.md", () => {
  test("lists every request that is answered, and every extension", async () => {
    const protocol = await readProjectFile("lib/wire/PROTOCOL.md");
    const section = (title: string) => protocol.split(`## ${title}`)[1]!.split("\n## ")[0]!;
    const firstCells = (text: string) =>
      [...text.matchAll(/^\| (`[^|]+`) *\|/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)])
        .map(([, name]) => name);
    expect(firstCells(section("Requests a server answers")).sort()).toEqual(Object.keys(methods).sort());
    expect(firstCells(section("Extensions"))).toEqual([...EXTENSIONS]);
  });
});
