import { describe, expect, test } from "bun:test";
import { mechanism, rulesOf, sandbox, whole } from "./confined.ts";

describe.skipIf(mechanism === null)("a confined terminal", () => {
  test("has job control, its size, its interrupts and an end", async () => {
    await using terminal = await openTerminal();
    await terminal.says("$ ", "");
    await terminal.says("a terminal", "[ -t 0 ] && [ -t 1 ] && echo a' 'terminal; echo > /dev/tty\n");
    await terminal.says("24 81", "stty size\n");
    terminal.resize(100, 50);
    await terminal.says("50 100", "stty size\n");
    await terminal.says("session 2 2 2", "echo session' '$(ps -o pid=,pgid=,sid= -p $$ | xargs)\n");
    // A program alone, that answers: shells have moments in which they miss an interrupt.
    const answers = (word: string, keys: string) => terminal.says(`got ${word}`, `${keys}${word}\n`);
    const program = "sed -u 's/^/got /'\n";
    await answers("first", program);
    // What is typed on before the prompt is back may be thrown away with the rest of the line.
    await terminal.says("$ ", "\x03");
    await terminal.says("code 130", "echo code' '$?\n");
    await answers("second", program);
    await terminal.says("Stopped", "\x1a");
    await terminal.says("$ ", "");
    await terminal.says("Stopped", "jobs\n");
    await terminal.says("$ ", "");
    await answers("third", "fg\n");
    await terminal.says("$ ", "\x03");
    await terminal.says("code 130", "echo code' '$?\n");
    terminal.write("exit 4\n");
    expect(await terminal.exited).toBe(4);
  });

  test("hangs up when it is closed", async () => {
    await using terminal = await openTerminal();
    await terminal.says("$ ", "");
    terminal.close();
    expect(await terminal.exited).toBe(129);
  });
});

async function openTerminal() {
  const env = { PATH: "/usr/bin:/bin", TERM: "dumb", PS1: "$ " };
  const confinement = await sandbox.confine(rulesOf([]));
  const wrapped = confinement.wrap(
    whole({ programs: ["/bin/bash"], argv: ["bash", "--norc", "--noprofile", "-i"], env, tty: true }),
  );
  const { command } = wrapped;
  const decoder = new TextDecoder();
  let text = "";
  let heard = () => {};
  const child = Bun.spawn([command.program], {
    argv0: command.argv0,
    cwd: command.cwd,
    env: command.env,
    stdio: ["ignore", "ignore", "ignore", ...command.extraFds],
    terminal: {
      cols: 81,
      rows: 24,
      data(_, bytes) {
        text += decoder.decode(bytes, { stream: true });
        heard();
      },
    },
  });
  await wrapped.began();
  const terminal = child.terminal!;
  return {
    exited: child.exited,
    resize: (cols: number, rows: number) => terminal.resize(cols, rows),
    write: (keys: string) => void terminal.write(keys),
    close: () => terminal.close(),
    /** Waits until it has said so, in answer to the keys; what it said before is forgotten. */
    async says(words: string, keys: string) {
      if (keys !== "") terminal.write(keys);
      while (!text.includes(words)) await new Promise<void>((resolve) => heard = resolve);
      text = text.slice(text.indexOf(words) + words.length);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      terminal.close();
      wrapped.release();
    },
  };
}
