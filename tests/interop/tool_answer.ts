/** What came back to the model for one tool call: the text itself, and the lines of its head that matter. */
export interface ToolAnswer {
  readonly text: string;
  /** Null while the process runs, and when the tool refused. */
  readonly exitCode: number | null;
  /** Names a process that still runs; `write_stdin` takes it. */
  readonly sessionId: number | null;
  /** A quarter of all bytes the process printed, rounded up; bytes that were cut away count too. */
  readonly originalTokens: number | null;
  readonly output: string;
}

export function readToolAnswer(text: string): ToolAnswer {
  const [, head = text, output = ""] = /^([\s\S]*?\nOutput:\n)([\s\S]*)$/.exec(text) ?? [];
  return {
    text,
    exitCode: numberAfter("Process exited with code", head),
    sessionId: numberAfter("Process running with session ID", head),
    originalTokens: numberAfter("Original token count:", head),
    output,
  };
}

/** Throws when the process is gone: a script that wants to type cannot go on. */
export function sessionOf(answer: ToolAnswer): number {
  if (answer.sessionId === null) throw new Error(`No session came back: ${answer.text}`);
  return answer.sessionId;
}

function numberAfter(words: string, head: string): number | null {
  const line = head.split("\n").find((line) => line.startsWith(words));
  return line === undefined ? null : Number(line.slice(words.length));
}
