import { describe, expect, test } from "bun:test";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import { filesFor } from "../../lib/server/sandboxed_files.ts";
import { decodeParams } from "../../lib/wire/decode.ts";
import { sandboxContext } from "../../lib/wire/sandbox_messages.ts";
import { directory, failure } from "../support/file_facts.ts";
import {
  context,
  type Json,
  managed,
  NO_NETWORK,
  path,
  READ_ONLY,
  special,
} from "../support/sandbox_context.ts";

const reach = (json: Json | null, what: "reads" | "changes") =>
  filesFor(json === null ? null : decodeParams(sandboxContext(), json), what);

function refusalOf(json: Json): unknown {
  try {
    reach(json, "changes");
    return null;
  } catch (error) {
    return error;
  }
}

describe("filesFor()", () => {
  test("gives all files where none are restricted", () => {
    const everything = context(managed([special("root", "write")]));
    for (const json of [null, context({ type: "disabled" }), NO_NETWORK, everything]) {
      for (const what of ["reads", "changes"] as const) {
        expect(reach(json, what).use((files) => files)).toBe(localFileSystem);
      }
    }
  });

  test("gives who may read everything all files, but no way to change those that were opened for it", async () => {
    using here = directory();
    const file = here.put("file", "x");
    const opened = await reach(READ_ONLY, "reads").use((files) => files.open(file, "read"));
    expect(Buffer.from(await opened.read(0, 9)).toString()).toBe("x");
    expect(await failure(() => opened.setAttributes({ mode: 0o777 }))).toBe("EROFS");
    expect(await failure(() => opened.write(0, Buffer.from("y")))).toBe("EBADF");
    await opened.close();
  });

  test("gives who may not read everything other files than those of this machine", async () => {
    const denied = context(managed([special("root", "read"), path("file:///usr", "deny")]));
    expect(await failure(() => reach(denied, "reads").use((files) => files.readDirectory("/usr")))).toBe(
      "EACCES",
    );
    const minimal = context(managed([special("minimal", "read")]));
    const listed = await reach(minimal, "reads").use((files) => files.readDirectory("/"));
    expect(listed.map(({ name }) => name)).not.toContain("tmp");
  });

  test("names what is of another machine, and asks for the directory that a profile depends on", () => {
    const foreign = context(managed([special("root", "read"), path("file:///C:/x", "read")]));
    expect(refusalOf(foreign)).toMatchObject({
      code: -32600,
      message: "invalid sandbox permission path URI: 'file:///C:/x' is invalid on 'linux'",
    });
    const roots = special("project_roots", "write");
    expect(refusalOf({ ...context(managed([special("root", "read"), roots])), cwd: undefined }))
      .toMatchObject({
        code: -32602,
        message: "file system sandbox context with dynamic permissions requires cwd",
      });
  });

  test("says what cannot be enforced", async () => {
    const unclear = context(
      managed([special("root", "read"), special("project_roots", "read", { subpath: "../x" })]),
    );
    await expect(async () => await reach(unclear, "changes").use((files) => files.readDirectory("/")))
      .toThrow(
        "sandbox intent cannot be enforced on this executor: ",
      );
  });
});
