import { readFileSync } from "node:fs";
import { osErrorCode, osErrorText } from "../../lib/base/os_error.ts";
import { Secret } from "../../lib/environment/secret.ts";
import { CommandError, type ExitStatus } from "../exit_status.ts";

/** The token in a file, without the white space around it. Throws a CommandError that never shows it. */
export function readSecretFile(path: string, status: ExitStatus): Secret {
  const words = readTextFile(path, "the token", status).trim();
  const hint = "make one with `exec-server token new FILE`, and give the server the same";
  if (words === "") throw new CommandError(`the token in ${path} is empty`, hint, status);
  // What a header cannot carry would be quoted by whoever refuses it.
  if (!/^[\x21-\x7e]+$/.test(words)) {
    throw new CommandError(`the token in ${path} is not one word`, hint, status);
  }
  return new Secret(words);
}

/** Certificates in PEM. A file without any would only be told of as a connection that failed. */
export function readCertificates(path: string, status: ExitStatus): string {
  const text = readTextFile(path, "certificates", status);
  if (/^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/m.test(text)) return text;
  throw new CommandError(
    `no certificate in ${path}`,
    "name a file with the authority's certificate in PEM: it has a line -----BEGIN CERTIFICATE-----",
    status,
  );
}

function readTextFile(path: string, what: string, status: ExitStatus): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    throw new CommandError(
      `cannot read ${what} in ${path}: ${osErrorText(code)}`,
      "see that the file is there and that you may read it",
      status,
    );
  }
}
