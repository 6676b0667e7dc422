import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { malformed, READY, staysUp } from "../support/peer_malformed.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  test("23 malformed messages are answered with id -1 and -32600, and the connection stays", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const texts = [
      ...["", " ", "x", '{"id":1,', '{"id":1,"method":"environment/status"} x', "5", '"s"', "null", "true"],
      ...[
        "[]",
        '[{"id":1,"method":"environment/status"}]',
        "{}",
        '{"id":5}',
        '{"result":{}}',
        '{"error":{}}',
      ],
      ...["null", "1.0", "1.5", "true", "{}", "[]", "9223372036854775808", "1e3"].map((id) =>
        `{"id":${id},"method":"environment/status"}`
      ),
      ...['{"id":1,"method":5}', '{"id":1,"method":null}', "{'id':1}", '{"id":1,"method":"\\ud800"}'],
    ];
    for (const text of texts) await malformed(peer, text);
    expect(await malformed(peer, "[]")).toContain("expected a JSON-RPC object");
    expect(await malformed(peer, "{}")).toContain("missing field `error`");
    await staysUp(peer);
  });

  test("24 duplicate keys at any level, more than 262144 values and a depth of 128 are malformed", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const status = '"method":"environment/status"';
    for (
      const text of [
        `{"id":1,"id":1,${status}}`,
        `{"id":1,${status},${status}}`,
        `{"id":1,${status},"x":{"a":1,"b":{"c":2,"c":2}}}`,
        `{"id":1,${status},"x":[[{"a":1,"\\u0061":2}]]}`,
      ]
    ) {
      expect(await malformed(peer, text)).toStartWith("duplicate JSON object key ");
    }
    const deep = (depth: number) => `{"id":1,${status},"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect(await peer.ask(1, "status", deep(127))).toEqual(READY);
    expect(await malformed(peer, deep(128))).toStartWith("recursion limit exceeded");
    // Four values beside the elements: the root, the id, the method and the array.
    const wide = (values: number) => `{"id":1,${status},"x":[${Array(values - 4).fill("0").join(",")}]}`;
    expect(await peer.ask(1, "status", wide(262_144))).toEqual(READY);
    expect(await malformed(peer, wide(262_145))).toStartWith(
      "JSON-RPC message exceeds the limit of 262144 JSON values",
    );
    await staysUp(peer);
  });

  test("24 long strings and equal keys of different objects are fine", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const request = { id: 1, method: "environment/status", x: [{ a: 1 }, { a: { a: "a".repeat(1 << 20) } }] };
    expect(await peer.ask(1, "status", request)).toEqual(READY);
  });
});
