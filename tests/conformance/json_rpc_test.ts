import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { resume } from "../support/peer_resume.ts";
import { malformed, READY, staysUp } from "../support/peer_malformed.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  test("21 jsonrpc is never sent, and accepted with any value, as are other members nobody knows", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const [index, jsonrpc] of ["2.0", "1.0", null, 5].entries()) {
      const request = { id: `j${index}`, jsonrpc, method: "environment/status", ignored: { a: 1 } };
      expect(await peer.ask(`j${index}`, request.method, request)).toEqual(READY);
    }
    await peer.run({ argv: ["/bin/true"] });
    await refusal(peer.call("no/such"));
    for (const message of peer.messages) {
      expect(message).not.toHaveProperty("jsonrpc");
      expect(message).not.toHaveProperty("trace");
    }
  });

  test("22 ids come back with the type and value they had", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (
      const id of ["s", "", "5", '\u{1f600}"\\', 0, -1, -7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    ) {
      const from = peer.messages.length;
      peer.send(JSON.stringify({ id, method: "environment/status" }));
      expect(await peer.waitFor(() => true, "an answer", from)).toEqual({ id, result: READY });
    }
    // An id that is a member of something else as well: it has method and id, so it is a request.
    const from = peer.messages.length;
    peer.send('{"id":3,"method":"environment/status","result":1,"error":{}}');
    expect(await peer.waitFor(() => true, "an answer", from)).toEqual({ id: 3, result: READY });
  });

  test("25 unknown methods are answered -32601, also before initialize", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    const unknown = async () => {
      for (
        const method of [
          "no/such",
          "",
          "initialized",
          "process/list",
          "process/resize",
          "process/kill",
          "Initialize",
        ]
      ) {
        expect(await refusal(peer.call(method, { any: 1 }))).toEqual({
          code: -32601,
          message: `exec-server stub does not implement \`${method}\` yet`,
        });
      }
    };
    await unknown();
    await peer.initialize();
    await unknown();
    await staysUp(peer);
  });

  for (
    const [what, text] of [
      ["an unknown notification", '{"method":"no/such","params":{}}'],
      ["initialize as a notification", '{"method":"initialize","params":{"clientName":"c"}}'],
      ["a request's method as a notification", '{"method":"environment/status"}'],
      ["a response", '{"id":1,"result":{}}'],
      ["an error", '{"id":1,"error":{"code":-1,"message":"m"}}'],
    ]
  ) {
    test(`26 ${what} ends the connection without an answer, and the session is let go`, async () => {
      await using server = await target.serve();
      await using peer = await Peer.connect(server.url);
      const { sessionId } = await peer.initialize();
      await staysUp(peer);
      const before = peer.messages.length;
      peer.send(text);
      await peer.closed;
      expect(peer.messages.length).toBe(before);
      await using next = await resume(server.url, sessionId);
      await staysUp(next);
    });
  }

  test("27 params of environment/status may be absent, null and {}, and nothing else", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const method of ["environment/status", "environment/info"]) {
      for (const params of [undefined, null, {}]) {
        expect(await peer.call(method, params)).toBeObject();
      }
      for (const params of [[], { a: 1 }, 5, "s", false]) {
        expect((await refusal(peer.call(method, params))).code).toBe(-32602);
      }
    }
  });

  test("28 a trace may be null or hold anything a string can; of a wrong type it is malformed", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const traces = [
      null,
      {},
      { traceparent: null, tracestate: null },
      { traceparent: "garbage" },
      { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b" },
    ];
    for (const [index, trace] of traces.entries()) {
      const request = { id: index + 100, method: "environment/status", trace };
      expect(await peer.ask(request.id, request.method, request)).toEqual(READY);
    }
    for (const trace of [5, "s", true, { traceparent: 5 }, { tracestate: {} }]) {
      await malformed(peer, JSON.stringify({ id: 1, method: "environment/status", trace }));
    }
    await staysUp(peer);
  });

  test("29 params are decoded before the rules of the lifecycle are asked", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    for (
      const method of [
        "process/start",
        "process/read",
        "process/write",
        "process/signal",
        "process/terminate",
      ]
    ) {
      expect((await refusal(peer.call(method, {}))).code).toBe(-32602);
    }
    expect((await refusal(peer.call("environment/status", []))).code).toBe(-32602);
    await peer.initialize();
    // Now the same texts name what is missing, and members nobody knows change nothing.
    expect(await refusal(peer.call("process/terminate", { x: 1 }))).toEqual({
      code: -32602,
      message: "missing field `processId`",
    });
    expect(await peer.call("process/terminate", { processId: "none", x: 1 })).toEqual({ running: false });
  });
});
