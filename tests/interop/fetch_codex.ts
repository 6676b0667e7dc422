/** Fills the cache with the real clients: `bun tests/interop/fetch_codex.ts`. What is there already stays. */
import { CODEX_VERSIONS, fetchCodex, findCodex } from "../support/real_codex.ts";

for (const version of CODEX_VERSIONS) {
  const codex = await findCodex(version);
  console.log(`codex ${version}: ${codex.found ? codex.binary : await fetchCodex(version)}`);
}
