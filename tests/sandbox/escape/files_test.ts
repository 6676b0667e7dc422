import { READ_ONLY } from "../../support/sandbox_context.ts";
import { needsRoot } from "./invaders.ts";
import { raid } from "./raid.ts";

const READ_ONLY_PLACE = /Read-only file system|EROFS/;
const OPEN_FOR_WRITING = 1;
const AT_FDCWD = -100;
const S_IFREG_644 = 0o100644;
const AT_HANDLE_FOLLOW = 0x400;

raid(({ attempt, invader }) => {
  const inOutside = (command: string) => ({ ground }: { ground: { outside: string; work: string } }) =>
    `cd ${ground.outside} && ${command}`;

  const commands: [string, string][] = [
    ["a new file", ": > new"],
    ["words at the end of a file", "echo more >> file"],
    ["an empty file in the place of a full one", ": > file"],
    ["a new directory", "mkdir new"],
    ["the end of a file", "rm file"],
    ["another name for a file", "mv file other"],
    ["another mode", "chmod 777 file"],
    ["other times", "touch -d @1 file"],
    ["another owner", `chown ${invader.uid}:${invader.uid} file`],
    ["a pipe", "mkfifo new"],
    ["a symlink", "ln -s file new"],
    ["a link to a file beside it", "ln file new"],
  ];
  for (const [what, command] of commands) {
    attempt(`outside of the workspace cannot be made: ${what}`, {
      script: inOutside(command),
      refused: READ_ONLY_PLACE,
    });
  }

  attempt("nothing at all can be written under a read-only profile, the workspace included", {
    script: ({ ground }) => `touch ${ground.work}/new`,
    sandbox: () => READ_ONLY,
    refused: READ_ONLY_PLACE,
  });

  const ways: [string, (ground: { work: string; outside: string }) => string][] = [
    ["a symlink in the workspace", ({ outside }) => `ln -sfn ${outside} way; cd way && touch new`],
    ["a symlink to a file", ({ outside }) => `ln -sfn ${outside}/file way; echo x > way`],
    ["`..`", () => "touch ../outside/new"],
    ["/proc/self/root", ({ outside }) => `touch /proc/self/root${outside}/new`],
    ["/proc/self/cwd", () => "touch /proc/self/cwd/../outside/new"],
    ["a descriptor of a directory", ({ outside }) => `exec 5< ${outside}; touch /proc/self/fd/5/new`],
    ["a descriptor of a file", ({ outside }) => `exec 5< ${outside}/file; echo x > /proc/self/fd/5`],
    ["/dev/fd", ({ outside }) => `exec 5< ${outside}/file; echo x > /dev/fd/5`],
  ];
  for (const [what, way] of ways) {
    attempt(`nothing outside can be written by way of ${what}`, {
      script: ({ ground }) => way(ground),
      refused: READ_ONLY_PLACE,
    });
  }

  attempt("a file outside cannot be linked into the workspace", {
    script: ({ ground }) => `ln ${ground.outside}/file way && echo x > way`,
    refused: /Invalid cross-device link/,
  });

  attempt("a file outside cannot be moved into the workspace", {
    calls: (program, { ground }) => {
      const [from, to] = [`${ground.outside}/file`, `${ground.work}/taken`].map((path) => program.text(path));
      program.call("renameat2", [AT_FDCWD, from!, AT_FDCWD, to!, 0], { what: "move" });
    },
    refused: /move: EXDEV/,
  });

  attempt("a file of the workspace cannot be moved out", {
    calls: (program, { ground }) => {
      const [from, to] = [`${ground.work}/own`, `${ground.outside}/new`].map((path) => program.text(path));
      program.call("mknodat", [AT_FDCWD, from!, S_IFREG_644, 0], { what: "make", onError: "ignore" });
      program.call("renameat2", [AT_FDCWD, from!, AT_FDCWD, to!, 0], { what: "move" });
    },
    refused: /move: EXDEV/,
  });

  attempt("a file outside cannot be opened by its handle, past all mounts", {
    calls: (program, { ground }) => {
      const [handle, mount, fd] = [
        program.words(128, ...new Array(17).fill(0)),
        program.room(8),
        program.room(8),
      ];
      const path = program.text(`${ground.outside}/file`);
      program.call("name_to_handle_at", [AT_FDCWD, path, handle, mount, AT_HANDLE_FOLLOW], {
        what: "handle",
      });
      program.call("openat", [AT_FDCWD, program.text(ground.work), 0, 0], { what: "mount", into: fd });
      program.call("open_by_handle_at", [{ load: fd }, handle, OPEN_FOR_WRITING], { what: "open" });
    },
    already: needsRoot("CAP_DAC_READ_SEARCH"),
    refused: /open: E(PERM|ROFS)/,
  });
});
