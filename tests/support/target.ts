/** A server under test: which program it is, and how to get one that runs. */
export interface Target {
  name: "ours" | "real";
  /** The argv that starts the server program with these flags. */
  command(flags: string[]): string[];
  serve(options?: ServeOptions): Promise<RunningServer>;
}

export type ServeOptions = {
  /** Flags beyond `--listen`; with them the server is a program of its own. */
  flags?: string[];
  /** The whole environment of the server; with it the server is a program of its own. */
  env?: Record<string, string>;
  /** For rules that take long: `advance` moves time. The real server's time can only be waited for. */
  movableTime?: boolean;
};

export interface RunningServer extends AsyncDisposable {
  url: string;
  /** Absent where the server lives in the process of the tests. */
  pid?: number;
  /** Lets this much time pass for the server and lets everything settle that follows from it. */
  advance(ms: number): Promise<void>;
  /** Resolves when the server has taken note of what happened to its sockets before. */
  settle(): Promise<void>;
}
