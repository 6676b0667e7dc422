import { describe, expect, test } from "bun:test";
import { helperElf } from "../../lib/sandbox/machine.ts";
import { Program } from "../../lib/sandbox/program.ts";
import { type PlanRunOptions, runnerOf, runPlan } from "../support/run_plan.ts";

const what = "a test";

/** A change of the helper is a change of what may run before a sandbox holds: look at the disassembly, then here. */
const GOLDEN = {
  x64: "703634da520de8ee47b6fb9ace970cb532982ebc0a630c1670e93d2be500c810",
  arm64: "32135965e25a1a1b2aa3f5463585acd1acffb3c653c36278d47490a6c122a075",
} as const;

const [STDIN, STDOUT] = [0, 1];
const AT_FDCWD = -100;
const P_PID = 1;
const WEXITED = 4;
/** In a siginfo. */
const [SI_CODE, SI_STATUS] = [8, 24];
const CLD_KILLED = 2;
const [SIGKILL, SIGUSR1, SIGCHLD] = [9, 10, 17];
const [ENOENT, EBADF, EINVAL, ESPIPE, ENOSYS] = [2, 9, 22, 29, 38];

for (const arch of ["x64", "arm64"] as const) {
  test(`the helper for ${arch} is the file it was when it was last looked at`, () => {
    expect(new Bun.CryptoHasher("sha256").update(helperElf(arch)).digest("hex")).toBe(GOLDEN[arch]);
  });

  const runner = runnerOf(arch);
  const reason = typeof runner === "string" ? ` (skipped: ${runner})` : "";
  describe.skipIf(reason !== "")(`the helper for ${arch}${reason}`, () => {
    const run = (program: Program, options?: PlanRunOptions) => runPlan(program.build(), arch, options);

    /** Clones as fork does: the child goes on at the label, the parent with the next record. */
    function fork(program: Program) {
      const [pid, child] = [program.room(8), program.label()];
      program.call("clone", [SIGCHLD, 0, 0, 0, 0], { what: "fork", into: pid, onZero: child });
      return { pid, child };
    }

    test("passes an exit code on", async () => {
      const program = new Program(arch);
      program.call("exit_group", [7], { what });
      expect(await run(program)).toEqual({
        exitCode: 7,
        signal: null,
        output: Buffer.alloc(0),
        failure: null,
      });
    });

    test("hands a call its arguments, all six of them", async () => {
      const program = new Program(arch);
      // mmap(0, 4096, PROT_READ, MAP_PRIVATE, the plan, 0), then with an offset past the file: both succeed.
      const [there, text] = [program.room(8), program.text("the sixth counts")];
      program.call("mmap", [0, 4096, 1, 2, 3, 0], { what, into: there });
      program.call("write", [STDOUT, { load: there }, 8], { what });
      program.call("mmap", [0, 4096, 1, 2, 3, 1], { what, onError: "ignore", into: there });
      program.call("write", [STDOUT, there, 8], { what });
      program.call("write", [STDOUT, text, 16], { what });
      program.call("exit_group", [0], { what });
      const plan = program.build();
      const { output } = await runPlan(plan, arch);
      expect(output.subarray(0, 8)).toEqual(Buffer.from(plan.subarray(0, 8)));
      expect(output.readBigInt64LE(8)).toBe(BigInt(-EINVAL));
      expect(output.toString("latin1", 16)).toBe("the sixth counts");
    });

    test("goes on in both after a clone; the parent waits and ends as the child did", async () => {
      const program = new Program(arch);
      const { pid, child } = fork(program);
      const info = program.room(128);
      program.call("waitid", [P_PID, { load: pid }, info, WEXITED, 0], { what });
      program.call("exit_group", [{ load: program.after(info, SI_STATUS) }], { what });
      program.place(child);
      program.call("exit_group", [42], { what });
      expect(await run(program)).toMatchObject({ exitCode: 42, failure: null });
    });

    test("tells a child that was killed from one that ended, and kills by a group's negative number", async () => {
      const program = new Program(arch);
      const { pid, child } = fork(program);
      const [info, group, killed] = [program.room(128), program.room(8), program.label()];
      program.call("setpgid", [{ load: pid }, { load: pid }], { what: "setpgid" });
      program.negate(pid, group);
      program.call("kill", [{ load: group }, SIGKILL], { what: "kill" });
      program.call("waitid", [P_PID, { load: pid }, info, WEXITED, 0], { what });
      program.gotoIf(program.after(info, SI_CODE), CLD_KILLED, killed);
      program.call("exit_group", [1], { what });
      program.place(killed);
      program.call("exit_group", [{ load: program.after(info, SI_STATUS) }], { what });
      program.place(child);
      // Longer than a test may take, but not for ever if nobody kills it.
      program.call("ppoll", [0, 0, program.words(60, 0), 0, 0], { what });
      program.call("exit_group", [2], { what });
      expect(await run(program)).toMatchObject({ exitCode: SIGKILL, failure: null });
    });

    test("stores, negates and loads all 64 bits", async () => {
      const program = new Program(arch);
      const [from, into] = [program.words(0x1234_5678_9abc_def0n), program.room(8)];
      program.negate(from, into);
      program.call("write", [STDOUT, into, 8], { what });
      program.call("exit_group", [0], { what });
      expect((await run(program)).output.readBigInt64LE(0)).toBe(-0x1234_5678_9abc_def0n);
    });

    test("jumps back, and on when a call gives zero", async () => {
      const program = new Program(arch);
      const [next, end, byte] = [program.label(), program.label(), program.room(1)];
      program.place(next);
      program.call("read", [STDIN, byte, 1], { what, onZero: end });
      program.call("write", [STDOUT, byte, 1], { what });
      program.goto(next);
      program.call("exit_group", [1], { what: "never" });
      program.place(end);
      program.call("exit_group", [0], { what });
      const input = "copied byte by byte\n".repeat(20);
      const { exitCode, output } = await run(program, { input });
      expect({ exitCode, output: output.toString() }).toEqual({ exitCode: 0, output: input });
    });

    test("branches by the 4 bytes of a word, and not by its neighbours", async () => {
      const program = new Program(arch);
      const [right, wrong] = [program.label(), program.label()];
      const word = program.words(0x0000_0009_ffff_fff0n);
      program.gotoIf(word, 0, wrong);
      program.gotoIf(word, 9, wrong);
      program.gotoIf(program.after(word, 4), 9, right);
      program.place(wrong);
      program.call("exit_group", [1], { what });
      program.place(right);
      program.gotoIf(word, 0xffff_fff1, wrong);
      const end = program.label();
      program.gotoIf(word, 0xffff_fff0, end);
      program.goto(wrong);
      program.place(end);
      program.call("exit_group", [0], { what });
      expect(await run(program)).toMatchObject({ exitCode: 0 });
    });

    test("repeats a call that leads to itself", async () => {
      const program = new Program(arch);
      const [again, end, fd] = [program.label(), program.label(), program.room(8)];
      program.call("dup", [STDOUT], { what, into: fd });
      program.place(again);
      // Succeeds with zero, then fails.
      program.call("close", [{ load: fd }], { what, onZero: again, onError: end });
      program.call("exit_group", [1], { what });
      program.place(end);
      program.call("exit_group", [0], { what });
      expect(await run(program)).toMatchObject({ exitCode: 0, failure: null });
    });

    test("uses what an earlier call gave: descriptors that only the kernel knew", async () => {
      const program = new Program(arch);
      const [ends, seen, text] = [program.room(8), program.room(4), program.text("ping")];
      program.call("pipe2", [ends, 0], { what: "pipe2" });
      program.call("write", [{ load: program.after(ends, 4) }, text, 4], { what: "write" });
      program.call("read", [{ load: ends }, seen, 4], { what: "read" });
      program.call("write", [STDOUT, seen, 4], { what });
      program.call("exit_group", [0], { what });
      expect((await run(program)).output.toString()).toBe("ping");
    });

    test("reports errno and record of what failed, and ends with 125", async () => {
      const program = new Program(arch);
      const path = program.text("/no/such/file");
      const pid = program.room(8);
      program.call("getpid", [], { what, into: pid });
      program.call("kill", [{ load: pid }, 0], { what });
      program.call("openat", [AT_FDCWD, path, 0, 0], { what: "open", path: "/no/such/file" });
      program.call("exit_group", [0], { what });
      const { exitCode, failure } = await run(program);
      expect({ exitCode, failure }).toEqual({ exitCode: 125, failure: { errno: ENOENT, record: 3 } });
      expect(program.what(failure?.record ?? 0)).toBe("open /no/such/file");
    });

    test("reports what failed in a child", async () => {
      const program = new Program(arch);
      const { pid, child } = fork(program);
      const info = program.room(128);
      program.call("waitid", [P_PID, { load: pid }, info, WEXITED, 0], { what });
      program.call("exit_group", [{ load: program.after(info, SI_STATUS) }], { what });
      program.place(child);
      program.call("close", [-1], { what: "close" });
      const { exitCode, failure } = await run(program);
      expect(exitCode).toBe(125);
      expect(failure?.errno).toBe(EBADF);
      expect(program.what(failure?.record ?? 0)).toBe("close");
    });

    test("goes on after an error that is ignored, or elsewhere, and keeps -errno", async () => {
      const program = new Program(arch);
      const [results, elsewhere] = [program.room(16), program.label()];
      program.call("close", [-1], { what, onError: "ignore", into: results });
      program.call("lseek", [STDOUT, 0, 0], { what, onError: elsewhere, into: program.after(results, 8) });
      program.call("exit_group", [1], { what });
      program.place(elsewhere);
      program.call("write", [STDOUT, results, 16], { what });
      program.call("exit_group", [0], { what });
      const { exitCode, output } = await run(program);
      expect(exitCode).toBe(0);
      expect(output.readBigInt64LE(0)).toBe(BigInt(-EBADF));
      expect(output.readBigInt64LE(8)).toBe(BigInt(-ESPIPE));
    });

    test("waits for a signal that is held back", async () => {
      const program = new Program(arch);
      const [all, self, got, info] = [
        program.words(0xffff_ffff_ffff_ffffn),
        program.room(8),
        program.room(8),
        program.room(128),
      ];
      program.call("rt_sigprocmask", [0, all, 0, 8], { what: "block" });
      program.call("getpid", [], { what, into: self });
      program.call("kill", [{ load: self }, SIGUSR1], { what: "kill" });
      program.call("rt_sigtimedwait", [all, info, 0, 8], { what: "wait", into: got });
      program.call("exit_group", [{ load: got }], { what });
      expect(await run(program)).toMatchObject({ exitCode: SIGUSR1, failure: null });
    });

    test("runs a thousand records, each once and in order", async () => {
      const program = new Program(arch);
      let expected = "";
      for (let n = 0; n < 1000; n++) {
        const line = `${n}\n`;
        program.call("write", [STDOUT, program.text(line), line.length], { what });
        expected += line;
      }
      program.call("exit_group", [0], { what });
      const { exitCode, output } = await run(program);
      expect({ exitCode, output: output.toString() }).toEqual({ exitCode: 0, output: expected });
    });

    test("becomes the first program that is there, with arguments of any bytes", async () => {
      const program = new Program(arch);
      const argv = program.words(
        program.text("called so"),
        program.text("-c"),
        program.text('printf "%s|%s|%s" "$0" "$1" "$A"; exit 9'),
        program.text("zero"),
        program.text("caf\xe9"),
        0,
      );
      const env = program.words(program.text("A=\xff"), 0);
      for (const path of ["/no/such/sh", "/bin/sh"]) {
        program.call("execve", [program.text(path), argv, env], {
          what: "execve",
          path,
          onError: path === "/bin/sh" ? "fail" : "ignore",
        });
      }
      const { exitCode, output } = await run(program);
      expect({ exitCode, output: output.toString("latin1") }).toEqual({
        exitCode: 9,
        output: "zero|caf\xe9|\xff",
      });
    });

    test("fails where the records end", async () => {
      const program = new Program(arch);
      program.call("getpid", [], { what });
      const { exitCode, failure } = await run(program);
      expect({ exitCode, failure }).toEqual({ exitCode: 125, failure: { errno: ENOSYS, record: 1 } });
      expect(program.what(1)).toBe("the end of the plan");
    });

    test("ends with 125 and says nothing if it cannot read its plan", async () => {
      const program = new Program(arch);
      program.call("exit_group", [0], { what });
      expect(await run(program, { planFlags: "a" })).toMatchObject({ exitCode: 125, failure: null });
    });
  });
}
