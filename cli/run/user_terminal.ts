import type { WriteStream } from "node:tty";
import type { TerminalSize } from "../../lib/process/backend.ts";
import { type SavedMode, saveMode } from "./raw_mode.ts";

const STDIN = 0;

/** Asked of the system itself: the runtime's answer takes longer than a short command. */
export function stdinIsTerminal(): boolean {
  return saveMode(STDIN) !== null;
}

/**
 * The terminal of the user. While it is raw it belongs to the command; it is put back on every way out, crashes
 * included. Only SIGKILL leaves no time for it.
 */
export class UserTerminal implements Disposable {
  #mode: SavedMode | null = null;
  readonly #restore = () => this.#mode?.restore();
  readonly #again = () => this.#mode?.setRaw();

  /** How large it is; null when none of our streams is a terminal. */
  size(): TerminalSize | null {
    const window = shownOn();
    if (window === null) return null;
    const [cols, rows] = window.getWindowSize();
    return rows > 0 && cols > 0 ? { rows, cols } : null;
  }

  onResize(listener: (size: TerminalSize) => void): void {
    shownOn()?.on("resize", () => {
      const size = this.size();
      if (size !== null) listener(size);
    });
  }

  /** Hands every key to the command. Does nothing where the keys do not come from a terminal. */
  enterRaw(): void {
    this.#mode = saveMode(STDIN);
    if (this.#mode === null) return;
    process.on("exit", this.#restore);
    // A shell that stopped and continued us has put its own settings in between.
    process.on("SIGCONT", this.#again);
    this.#mode.setRaw();
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#restore);
    process.off("SIGCONT", this.#again);
    this.#restore();
    this.#mode = null;
  }
}

function shownOn(): WriteStream | null {
  return [process.stdout, process.stderr].find((stream) => stream.isTTY) ?? null;
}
