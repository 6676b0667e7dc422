import { bystander, sharedMemory, stackOf } from "./prey.ts";
import { setting } from "./invaders.ts";
import { raid } from "./raid.ts";

const PTRACE_ATTACH = 16;
const SIGCONT = 18;
const NOT_THERE = /No such file or directory|No such process|Directory nonexistent|ESRCH|ENOENT/;

const ptraceScope = ({ isRoot }: { isRoot: boolean }) => {
  const scope = Number(setting("kernel.yama.ptrace_scope") ?? 0);
  return scope > (isRoot ? 2 : 0) ? `kernel.yama.ptrace_scope is ${scope}` : null;
};

raid(({ attempt }) => {
  attempt("a process outside cannot be signalled", {
    prepare: bystander,
    script: ({ prey }) => `kill -CONT ${prey}`,
    refused: NOT_THERE,
  });

  attempt("a process outside cannot be taken hold of by a descriptor", {
    prepare: bystander,
    calls: (program, { prey }) => {
      const fd = program.room(8);
      program.call("pidfd_open", [Number(prey), 0], { what: "open", into: fd });
      program.call("pidfd_send_signal", [{ load: fd }, SIGCONT, 0, 0], { what: "signal" });
    },
    refused: NOT_THERE,
  });

  attempt("the descriptors of a process outside cannot be had", {
    prepare: bystander,
    calls: (program, { prey }) => {
      const fd = program.room(8);
      program.call("pidfd_open", [Number(prey), 0], { what: "open", into: fd });
      program.call("pidfd_getfd", [{ load: fd }, 1, 0], { what: "take" });
    },
    already: ptraceScope,
    refused: NOT_THERE,
  });

  attempt("a process outside cannot be traced", {
    prepare: bystander,
    calls: (program, { prey }) => {
      program.call("ptrace", [PTRACE_ATTACH, Number(prey), 0, 0], { what: "trace" });
    },
    already: ptraceScope,
    refused: /trace: EPERM/,
  });

  for (const call of ["process_vm_readv", "process_vm_writev"] as const) {
    attempt(`the memory of a process outside is out of reach of ${call}`, {
      prepare: bystander,
      calls: (program, { prey }) => {
        const here = program.words(program.room(8), 1);
        const there = program.words(stackOf(prey), 1);
        program.call(call, [Number(prey), here, 1, there, 1, 0], { what: "reach" });
      },
      already: ptraceScope,
      refused: /reach: EPERM/,
    });
  }

  const files: [string, (pid: string, outside: string) => string][] = [
    ["the root", (pid, outside) => `touch /proc/${pid}/root${outside}/new`],
    ["the directory", (pid) => `ls /proc/${pid}/cwd/`],
    ["the memory", (pid) => `: >> /proc/${pid}/mem`],
    ["the descriptors", (pid) => `test -e /proc/${pid}/fd/1 || { echo No such file or directory; exit 1; }`],
    ["the environment", (pid) => `cat /proc/${pid}/environ`],
    ["the chance to be killed for memory", (pid) => `: >> /proc/${pid}/oom_score_adj`],
  ];
  for (const [what, script] of files) {
    attempt(`/proc does not lead to ${what} of a process outside`, {
      prepare: bystander,
      script: ({ prey, ground }) => script(prey, ground.outside),
      already: ptraceScope,
      refused: NOT_THERE,
    });
  }

  attempt("the server cannot be signalled", {
    script: ({ server }) => `kill -CONT ${server.pid}`,
    refused: NOT_THERE,
  });

  attempt("the server's files cannot be reached", {
    script: ({ server, ground }) => `touch /proc/${server.pid}/root${ground.outside}/new`,
    already: ptraceScope,
    refused: NOT_THERE,
  });

  attempt("the mounts of a process outside cannot be entered", {
    prepare: bystander,
    script: ({ prey, ground }) => `nsenter --target ${prey} --mount touch ${ground.outside}/new`,
    already: ({ isRoot }) => isRoot ? null : "an ordinary user has no CAP_SYS_ADMIN",
    refused: NOT_THERE,
  });

  attempt("shared memory of the host cannot be found by its key", {
    prepare: sharedMemory,
    calls: (program, { prey }) => program.call("shmget", [Number(prey), 0, 0], { what: "find" }),
    refused: /find: ENOENT/,
  });
});
