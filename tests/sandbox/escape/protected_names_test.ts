import { expect } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Peer } from "../../support/peer.ts";
import { confined, context, managed, special, workspaceWrite } from "../../support/sandbox_context.ts";
import { untilFile } from "../../support/peer_system.ts";
import { spawnServer } from "../../support/target_process.ts";
import { MAIN } from "./invaders.ts";
import { raid } from "./raid.ts";

const RENAME_EXCHANGE = 2;
const AT_FDCWD = -100;

raid(({ attempt, test, invader }) => {
  const commands: [string, string, RegExp][] = [
    ["a hook for git cannot be made", "echo x > .git/hooks/post-commit", /Read-only file system/],
    ["git's configuration cannot be changed", "echo x >> .git/config", /Read-only file system/],
    ["git's directory cannot be moved away", "mv .git away", /Device or resource busy/],
    ["git's directory cannot be removed", "rm -r .git", /Read-only file system|busy/],
    ["a missing .codex cannot be made", "mkdir .codex || exit 1; echo x > .codex/config.toml", /File exists/],
    [
      "a file in a missing .codex cannot be made",
      "mkdir -p .codex && echo x > .codex/config.toml",
      /Read-only/,
    ],
    [
      "a missing .agents cannot become a symlink",
      "ln -s /etc .agents && test -L .agents",
      /Read-only|exists/,
    ],
    ["a missing .aws cannot become a file", "echo x > .aws", /Is a directory/],
  ];
  for (const [name, script, refused] of commands) attempt(name, { script: () => script, refused });

  attempt("a protected name cannot be exchanged for another", {
    calls: (program, { ground }) => {
      const [own, kept] = [`${ground.work}/own`, `${ground.work}/.git`].map((path) => program.text(path));
      program.call("mkdirat", [AT_FDCWD, own!, 0o755], { what: "make", onError: "ignore" });
      program.call("renameat2", [AT_FDCWD, own!, AT_FDCWD, kept!, RENAME_EXCHANGE], { what: "exchange" });
    },
    refused: /exchange: EBUSY/,
  });

  attempt("a protected name is so too where the client says nothing of it", {
    script: () => "echo x > .git/hooks/post-commit; mkdir .codex/x || { mkdir .codex && mkdir .codex/x; }",
    sandbox: ({ work }) => {
      const entries = [special("root", "read"), special("project_roots", "write")];
      return context(managed(entries), { workspaceRoots: [`file://${work}`] });
    },
    refused: /post-commit: Read-only[\s\S]*'.codex\/x': Read-only/,
  });

  test("a mask holds while other servers come and go that mask the same", async ({ ground, peer }) => {
    const sandbox = workspaceWrite(ground.work);
    const argv = ["/bin/sh", "-c", "touch ready; while ! [ -e go ]; do sleep 0.01; done; mkdir .codex/x"];
    const request = confined(peer, sandbox, { argv, cwd: `file://${ground.work}` });
    await peer.call("process/start", request);
    await untilFile(join(ground.work, "ready"));
    const command = [process.execPath, "--no-env-file", MAIN, "serve", "--listen", "ws://127.0.0.1:0"];
    {
      await using other = await spawnServer([...invader.prefix, ...command]);
      await using guest = await Peer.ready(other.url);
      const start = confined(guest, sandbox, { argv: ["/bin/true"] });
      await guest.call("process/start", start);
      await guest.outcome(start.processId);
    }
    expect(existsSync(join(ground.work, ".codex"))).toBe(true);
    writeFileSync(join(ground.work, "go"), "");
    expect((await peer.outcome(request.processId)).stderr).toContain("Read-only file system");
    expect(readdirSync(ground.work).filter((name) => name.startsWith("."))).toEqual([".git"]);
  });
});
