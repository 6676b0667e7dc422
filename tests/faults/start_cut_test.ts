import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import { EXTENSIONS } from "../../lib/wire/extensions.ts";
import { CutProxy } from "../support/cut_proxy.ts";
import { Followed, startOptions } from "../support/follow.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { scratchDirectory } from "../support/peer_system.ts";
import { oursTarget } from "../support/target_ours.ts";

// A line that is cut between a start and the answer to it.

setDefaultTimeout(30_000);

const connect = (url: string, extensions: readonly (typeof EXTENSIONS)[number][] = EXTENSIONS) =>
  RemoteClient.connect({ dial: dialWebSocket({ url }), clientName: "faults", reconnects: true, extensions });

describe("a start whose answer is lost", () => {
  test("was made: its process is adopted, with all that it printed, and did not run twice", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    using directory = scratchDirectory();
    const log = `${directory.path}/log`;
    proxy.delay(300);
    const script = `echo ran >> ${log}; echo first; sleep 1; echo last; exit 9`;
    const starting = client.backend.start(startOptions(["/bin/sh", "-c", script]));
    await untilTrue(() => existsSync(log), "the command to run");
    proxy.cut(); // its answer is on its way
    proxy.delay(0);
    const process = new Followed(await starting);
    expect(await process.end()).toEqual({ exitCode: 9 });
    expect([process.text(), readFileSync(log, "utf8")]).toEqual(["first\nlast\n", "ran\n"]);
    expect(process.seqs).toEqual([1, 2, 3, 4]);
    expect(process.process.log.exited?.account?.outcome).toEqual({ kind: "exited", code: 9 });
  });

  test("never arrived: it is made once on the next connection", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    using directory = scratchDirectory();
    const log = `${directory.path}/log`;
    proxy.delay(300);
    const starting = client.backend.start(startOptions(["/bin/sh", "-c", `echo ran >> ${log}; exit 9`]));
    await Bun.sleep(0);
    proxy.cut();
    proxy.delay(0);
    expect(await new Followed(await starting).end()).toEqual({ exitCode: 9 });
    expect(readFileSync(log, "utf8")).toBe("ran\n");
  });

  test("and is refused on the next connection, as it would have been on the first", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url);
    proxy.delay(300);
    const starting = client.backend.start(startOptions(["/no/such/program"]));
    await Bun.sleep(0);
    proxy.cut();
    proxy.delay(0);
    expect(await starting.then(() => null, (error) => error)).toMatchObject({
      code: "spawn",
      failure: { phase: "program", errno: "ENOENT" },
    });
    expect(await new Followed(await client.backend.start(startOptions(["true"]))).end()).toEqual({
      exitCode: 0,
    });
  });

  test("is never repeated where the server would not know it again, and is ended there", async () => {
    await using server = await oursTarget().serve();
    await using proxy = await CutProxy.to(server.url);
    await using client = await connect(proxy.url, EXTENSIONS.filter((name) => name !== "outcome.v1"));
    using directory = scratchDirectory();
    const log = `${directory.path}/log`;
    proxy.delay(300);
    const starting = client.backend.start(
      startOptions(["/bin/sh", "-c", `echo $$ >> ${log}; exec sleep 600`]),
    );
    await untilTrue(() => existsSync(log) && readFileSync(log, "utf8").endsWith("\n"), "the command to run");
    proxy.cut();
    proxy.delay(0);
    expect(await starting.then(() => null, (error) => error)).toMatchObject({ code: "lost" });
    const pid = readFileSync(log, "utf8").trim();
    await untilTrue(() => !existsSync(`/proc/${pid}`), "its end");
  });
});
