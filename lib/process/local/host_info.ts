import { accessSync, constants, readFileSync } from "node:fs";
import { basename } from "@std/path";

export interface Shell {
  readonly name: string;
  readonly path: string;
}

/** The shells whose ways a client knows. */
const KNOWN_SHELLS = ["bash", "zsh", "sh"];
const SEARCHED_DIRECTORIES = ["/usr/bin", "/bin", "/usr/local/bin"];

let found: Shell | undefined;

/** The account's login shell if it is a known one; else the first known shell of this machine. $SHELL has no say. */
export function accountShell(): Shell {
  return (found ??= usable(account()?.shell ?? "") ?? anyShell());
}

/** The account's home directory, by the account database and not by $HOME. */
export function accountHome(): string | null {
  return account()?.home ?? null;
}

function account(): { home: string; shell: string } | null {
  const uid = String(process.getuid?.());
  let lines: string[];
  try {
    lines = readFileSync("/etc/passwd", "utf8").split("\n");
  } catch {
    return null; // a container may have no accounts at all
  }
  for (const line of lines) {
    const [, , id, , , home, shell] = line.split(":");
    if (id === uid && home !== undefined && shell !== undefined) return { home, shell };
  }
  return null;
}

function usable(path: string): Shell | null {
  const name = basename(path);
  if (!KNOWN_SHELLS.includes(name)) return null;
  try {
    accessSync(path, constants.X_OK);
    return { name, path };
  } catch {
    return null;
  }
}

function anyShell(): Shell {
  for (const name of KNOWN_SHELLS) {
    for (const directory of SEARCHED_DIRECTORIES) {
      const shell = usable(`${directory}/${name}`);
      if (shell !== null) return shell;
    }
  }
  return { name: "sh", path: "/bin/sh" };
}
