import { AuthError } from "../lib/server/auth_error.ts";
import { createTokenFile } from "../lib/server/token_file.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "./exit_status.ts";

/** `token new [FILE]` */
export async function tokenCommand([verb, file, ...more]: readonly string[]): Promise<ExitStatus> {
  if (verb !== "new") throw usageError("token knows only `new`: exec-server token new [FILE]", "token");
  if (more.length > 0) throw usageError(`unexpected word ${more[0]}`, "token");
  const { path, sha256 } = await create(file ?? "token");
  await Bun.write(
    Bun.stdout,
    `Wrote a new token to ${path} (only you can read it).\n\n` +
      `On the server:  exec-server serve --ws-auth capability-token --ws-token-file ${path}\n` +
      `or without it:  exec-server serve --ws-auth capability-token --ws-token-sha256 ${sha256}\n` +
      `Clients send it as the header \`Authorization: Bearer TOKEN\`.\n` +
      `A Codex client reads it from \`auth_bearer_token\` in its environments.toml.\n`,
  );
  return EXIT.ok;
}

async function create(file: string): Promise<{ path: string; sha256: string }> {
  try {
    return await createTokenFile(file);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    throw new CommandError(error.message, "name another file: exec-server token new FILE", EXIT.failed);
  }
}
