import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "@std/path";
import { Peer } from "../support/peer.ts";
import { findCodex } from "../support/real_codex.ts";
import { workspaceWrite } from "../support/sandbox_context.ts";
import type { Target } from "../support/target.ts";
import { oursTarget } from "../support/target_ours.ts";
import { realTarget } from "../support/target_real.ts";
import { execCommand } from "./mock_model.ts";
import { type ClientOptions, converse } from "./real_client.ts";

/** Above the deadline of one conversation, so that its own message is the one to be seen. */
const TIMEOUT_MS = 90_000;

/** Not in /tmp, which the profile makes writable for its own sake. */
class Place implements Disposable {
  readonly #path = mkdtempSync("/var/tmp/interop-");
  readonly work = join(this.#path, "work");
  readonly outside = join(this.#path, "outside");
  /** The server's. */
  readonly home = join(this.#path, "home");

  constructor() {
    mkdirSync(join(this.work, ".git/hooks"), { recursive: true });
    mkdirSync(this.outside);
    mkdirSync(this.home);
    writeFileSync(join(this.outside, "kept"), "kept\n");
  }

  /** The text without what is never twice the same. */
  without(text: string): string {
    return text.replaceAll(this.outside, "OUTSIDE").replaceAll(this.#path, "PLACE")
      .replace(/^(Chunk ID|Wall time): .*\n/gm, "");
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}

const codex = await findCodex("0.169.0");
const ours = oursTarget();
const filesAreConfined = await canConfineFiles(ours);

if (codex.found) describe("codex 0.169.0 with a sandbox that never asks", () => confine(codex.binary));
else {
  console.warn(`Skipped: ${codex.reason}`);
  test.skip(`codex 0.169.0 with a sandbox (${codex.reason})`, () => {});
}

/** What a model tries, one after the other; `OUTSIDE` is a directory beside the workspace. */
const COMMANDS = [
  "echo in > made && cat made",
  "mkdir -p deep/er && mv made deep/er && ls -R .",
  "echo out > OUTSIDE/made",
  "rm OUTSIDE/kept",
  "ln OUTSIDE/kept linked",
  "chmod 777 OUTSIDE",
  "cat OUTSIDE/kept",
  "echo x > .git/hooks/post-commit",
  "rm -rf .git",
  "mkdir .codex",
  "stat -c %A .agents",
  "touch /tmp/interop-$$ && rm /tmp/interop-$$",
  "grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/self/status",
  "exec 3<> /dev/tcp/127.0.0.1/9",
  "no-such-program",
  "cat /proc/sys/kernel/ostype; exit 3",
  "echo 'Permission denied' >&2; exit 2",
  "kill -TERM $$",
];

function confine(binary: string): void {
  const servers = [ours, realTarget(binary)];
  for (const sandbox of ["workspace-write", "read-only"] as const) {
    test(`${sandbox}: the model is told of every command the same as by Codex's own server`, async () => {
      const told: string[][] = [];
      for (const target of servers) {
        using place = new Place();
        const { answers } = await hold(binary, target, place, sandbox, COMMANDS);
        expect(readdirSync(place.outside)).toEqual(["kept"]);
        expect(readdirSync(join(place.work, ".git"))).toEqual(["hooks"]);
        expect(existsSync(join(place.work, "deep/er/made"))).toBe(sandbox === "workspace-write");
        // What was only a mask is gone when the commands are, with ours; Codex's own may leave it.
        if (target === ours) expect(existsSync(join(place.work, ".codex"))).toBe(false);
        told.push(answers.map(({ text }, i) => `${COMMANDS[i]}\n${place.without(text)}`));
      }
      expect(told[0]).toHaveLength(COMMANDS.length);
      expect(told[0]).toEqual(told[1]!);
      expect(told[0]![2]).toContain("Process exited with code 1");
      expect(told[0]![2]).toContain("OUTSIDE/made: Read-only file system");
      expect(told[0]![3]).toContain("Read-only file system");
    }, TIMEOUT_MS);
  }

  const reason = filesAreConfined ? "" : " (our server does not confine files yet)";
  test.skipIf(!filesAreConfined)(
    `workspace-write: a patch changes files in the workspace alone${reason}`,
    async () => {
      const patches = ["patched", "OUTSIDE/patched", ".git/patched", "OUTSIDE/kept"].map(patchFor);
      const told: string[][] = [];
      for (const target of servers) {
        using place = new Place();
        const { answers } = await hold(binary, target, place, "workspace-write", patches);
        expect(existsSync(join(place.work, "patched"))).toBe(true);
        expect(readdirSync(place.outside)).toEqual(["kept"]);
        expect(readdirSync(join(place.work, ".git"))).toEqual(["hooks"]);
        told.push(answers.map(({ text }) => place.without(text)));
      }
      expect(told[0]).toEqual(told[1]!);
      expect(told[0]![0]).toContain("Success");
      expect(told[0]![1]).toContain("patch rejected");
    },
    TIMEOUT_MS,
  );
}

async function hold(
  binary: string,
  target: Target,
  place: Place,
  sandbox: ClientOptions["sandbox"],
  commands: readonly string[],
) {
  const env = { PATH: process.env.PATH ?? "", HOME: place.home, CODEX_HOME: place.home };
  await using server = await target.serve({ env });
  const conversation = await converse(
    { binary, serverUrl: server.url, workdir: place.work, ...(sandbox && { sandbox }) },
    function* () {
      for (const command of commands) {
        yield execCommand(command.replaceAll("OUTSIDE", place.outside), { yield_time_ms: 30_000 });
      }
      return "The end";
    },
  );
  expect(conversation).toMatchObject({ said: "The end", exitCode: 0 });
  return conversation;
}

/** As the model does it: by the name of a command, which the client takes for its own. */
function patchFor(path: string): string {
  return `apply_patch <<'PATCH'\n*** Begin Patch\n*** Add File: ${path}\n+made\n*** End Patch\nPATCH`;
}

async function canConfineFiles(target: Target): Promise<boolean> {
  using place = new Place();
  await using server = await target.serve();
  await using peer = await Peer.ready(server.url);
  const file = {
    path: `file://${place.work}/file`,
    dataBase64: "",
    sandbox: workspaceWrite(place.work),
  };
  return await peer.call("fs/writeFile", file).then(() => true, () => false);
}
