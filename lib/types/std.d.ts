// The npm package deno-std carries @std's JavaScript without its types: these are the parts we use.
declare module "@std/cli" {
  export interface ParseOptions {
    string?: readonly string[];
    boolean?: readonly string[];
    collect?: readonly string[];
    alias?: Record<string, string>;
    stopEarly?: boolean;
    "--"?: boolean;
    unknown?: (argument: string, key?: string, value?: unknown) => unknown;
  }
  export function parseArgs(
    args: string[],
    options?: ParseOptions,
  ): Record<string, unknown> & { _: (string | number)[] };
}

declare module "@std/path" {
  export { basename, dirname, isAbsolute, join, normalize, resolve } from "node:path";
}
