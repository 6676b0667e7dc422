import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import type { Peer } from "./peer.ts";
import { refusal, type WireErrorBody } from "./peer_conversation.ts";
import { runToEnd } from "./target_process.ts";

export const UTF8 = (text: string) => Buffer.from(text).toString("base64");

/** A directory for one test, and the URIs of what is in it. */
export function filesDirectory(): Disposable & {
  path: string;
  uri(name?: string): string;
  put(name: string, text: string): string;
} {
  const path = mkdtempSync(join(tmpdir(), "fs-conformance-"));
  return {
    path,
    /** The name is taken as it is: encoded where it has to be. */
    uri: (name = "") => `file://${path}${name === "" ? "" : `/${name}`}`,
    put(name, text) {
      writeFileSync(join(path, name), text);
      return join(path, name);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export async function makePipe(path: string): Promise<void> {
  const made = await runToEnd(["mkfifo", path]);
  if (made.code !== 0) throw new Error(`mkfifo failed: ${made.stderr}`);
}

/** Why a call is refused: its code, and the number of the system's error where it ends with one. */
export async function refusedWith(peer: Peer, method: string, params: object): Promise<WireErrorBody> {
  return await refusal(peer.call(method, params));
}

/** The code and the number of the system's error, which is all of it that is the same on every C library. */
export async function systemRefusal(peer: Peer, method: string, params: object): Promise<[number, string]> {
  const { code, message } = await refusedWith(peer, method, params);
  return [code, /\(os error \d+\)$/.exec(message)?.[0] ?? message];
}

export type Walk = {
  entries: { path: string; kind: "directory" | "file" }[];
  errors: { path: string; message: string }[];
  truncated: boolean;
};

export const WHOLE_TREE = {
  maxDepth: 64,
  maxDirectories: 10_000,
  maxEntries: 50_000,
  followDirectorySymlinks: false,
};

export function walk(peer: Peer, path: string, options: object = {}): Promise<Walk> {
  return peer.call<Walk>("fs/walk", { path, options: { ...WHOLE_TREE, ...options } });
}

export async function readText(peer: Peer, path: string): Promise<string> {
  const { dataBase64 } = await peer.call<{ dataBase64: string }>("fs/readFile", { path });
  return Buffer.from(dataBase64, "base64").toString();
}
