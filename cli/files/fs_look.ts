import { FsError } from "../../lib/fs/fs_error.ts";
import { writeAll } from "../run/write_all.ts";
import { fileBlocks } from "./blocks.ts";
import { nativePath } from "./byte_path.ts";
import { streamDeparture } from "./departure.ts";
import { READ_BY_COMMAND, Refusal } from "./file_failure.ts";
import { factLines, factObject, factRows, factsIn, jsonPath, jsonTimes } from "./file_facts.ts";
import { mustBeThere, print, real, type Spot, STDOUT, type Work } from "./fs_work.ts";

export async function ls({ side, json }: Work, { word, path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  const isDirectory = facts.kind === "directory";
  const { named, unnamable } = isDirectory
    ? await factsIn(side, facts.isLink ? await real(side, path) : path)
    : { named: [{ name: word, facts }], unnamable: [] };
  await print(json ? named.map((one) => `${JSON.stringify(factObject(one))}\n`).join("") : factLines(named));
  if (unnamable.length > 0) {
    throw new FsError("refused", `cannot ask for ${JSON.stringify(unnamable.join(", "))}`);
  }
}

export async function cat({ side }: Work, { path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  if (facts.kind === "directory") {
    throw new Refusal("it is a directory", "see what is in it: `exec-server fs ls PATH`");
  }
  if (facts.kind === "other") {
    if (side.name !== null) throw new Refusal("it is neither a file nor a directory", READ_BY_COMMAND);
    for await (const block of streamDeparture(path).blocks(0)) await writeAll(STDOUT, block);
    return;
  }
  const file = await side.files.open(nativePath(path), "read");
  try {
    for await (const block of fileBlocks(file, 0, facts.size)) await writeAll(STDOUT, block);
  } finally {
    await file.close();
  }
}

export async function stat({ side, json }: Work, { word, path }: Spot): Promise<void> {
  const facts = await mustBeThere(side, path);
  if (json) {
    const told = { ...factObject({ name: word, facts }), ...jsonTimes(facts), ...jsonPath("path", path) };
    return await print(`${JSON.stringify(told)}\n`);
  }
  await print(factRows(path, facts).map(([name, value]) => `${name.padEnd(8)}  ${value}\n`).join(""));
}
