// Makes a binary for every target, and the list of their hashes.
import { join } from "node:path";
import { build, DIST, megabytes, PROJECT } from "./build.ts";
import { bunFor, TARGETS } from "./targets.ts";

const sums: string[] = [];
for (const target of TARGETS) {
  const name = `exec-server-${target.name}`;
  const outfile = join(DIST, name);
  await build(outfile, { target, executable: await bunFor(target, PROJECT) });
  const bytes = await Bun.file(outfile).bytes();
  sums.push(`${Bun.SHA256.hash(bytes, "hex")}  ${name}\n`);
  console.log(`${outfile} (${megabytes(bytes.length)})`);
}
await Bun.write(join(DIST, "SHA256SUMS"), sums.join(""));
