import { version } from "../lib/version.ts";
import { EXIT, type ExitStatus, usageError } from "./exit_status.ts";

export async function versionCommand([word]: readonly string[]): Promise<ExitStatus> {
  if (word !== undefined) throw usageError(`unexpected word ${word}`, "version");
  await Bun.write(Bun.stdout, `exec-server ${version}\n`);
  return EXIT.ok;
}
