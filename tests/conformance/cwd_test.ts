import { expect } from "bun:test";
import { CHILD_ENV, Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { scratchDirectory } from "../support/peer_system.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  test("51 a cwd that is no local file URI is refused with -32602", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const foreign = (uri: string) =>
      `cwd URI \`${uri}\` is not valid on this exec-server host: '${uri}' is invalid on 'linux'`;
    const expectations: [string, string?][] = [
      ["/tmp", "invalid URI: relative URL without a base"],
      ["tmp", "invalid URI: relative URL without a base"],
      ["", "invalid URI: relative URL without a base"],
      ["http://localhost/tmp", "unsupported path URI scheme `http`"],
      ["file:///tmp?q", "query parameters are not allowed in path URIs"],
      ["file:///tmp#f", "fragments are not allowed in path URIs"],
      ["file:///tmp%00"],
      ["file://remote.example/tmp", foreign("file://remote.example/tmp")],
      ["file:///C:/tmp", foreign("file:///C:/tmp")],
      ["file://user@localhost/tmp"],
      ["file://localhost:80/tmp"],
    ];
    for (const [cwd, message] of expectations) {
      const error = await refusal(peer.call("process/start", peer.startParams({ argv: ["/bin/pwd"], cwd })));
      expect({ cwd, code: error.code }).toEqual({ cwd, code: -32602 });
      if (message !== undefined) expect(error.message).toBe(message);
    }
  });

  test("51 every spelling of a local file URI is a cwd", async () => {
    using directory = scratchDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (
      const cwd of [
        ...["file:/tmp", "file:tmp", "FILE:///tmp", "file://localhost/tmp", "file:///%74mp", "file:///tmp/"],
        ...["file:///usr/../tmp", "file:///./tmp", "file:///tmp/."],
      ]
    ) {
      const { stdout } = await peer.run({ argv: ["/bin/pwd"], cwd });
      expect({ cwd, stdout: stdout.replace(/^\/private/, "") }).toEqual({ cwd, stdout: "/tmp\n" });
    }
    const odd = `${directory.path}/a b%c#é`;
    expect((await peer.run({ argv: ["/bin/mkdir", odd], env: CHILD_ENV })).exitCode).toBe(0);
    const cwd = `file://${directory.path}/a%20b%25c%23%C3%A9`;
    expect((await peer.run({ argv: ["/bin/pwd"], cwd })).stdout).toBe(`${odd}\n`);
  });
});
