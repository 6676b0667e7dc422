import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "@std/path";
import { ImageModel } from "./image_model.ts";
import { execCommand, type Script } from "./mock_model.ts";
import { openServer } from "./open_server.ts";
import { converse } from "./real_client.ts";
import { makeTemporaryDirectory } from "./temporary_directory.ts";
import { WireRecorder } from "./wire_recorder.ts";
import { Peer } from "../support/peer.ts";
import { CODEX_VERSIONS, findCodex } from "../support/real_codex.ts";

/** Above the deadline of one conversation, so that its own message is the one to be seen. */
const TIMEOUT_MS = 45_000;
/** One red dot. */
const PNG = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
);

/** What a client may ask only of a server that says it can. */
const FLAG_OF: Record<string, string> = {
  "capabilities/discoverV2": "capabilityDiscoveryV2",
  "environmentConfig/read": "environmentConfigRead",
  "fs/watchMissing": "fsWatchMissing",
  "fs/writeBlock": "fileWriteStreaming",
};

for (const codex of await Promise.all(CODEX_VERSIONS.map(findCodex))) {
  if (codex.found) describe(`codex ${codex.version} with our pictures`, () => look(codex.binary));
  else {
    console.warn(`Skipped: ${codex.reason}`);
    test.skip(`codex ${codex.version} with our pictures (${codex.reason})`, () => {});
  }
}

function look(binary: string): void {
  const opened = new AsyncDisposableStack();
  let serverUrl = "";
  beforeAll(async () => {
    serverUrl = opened.use(await openServer()).url;
  });
  afterAll(() => opened.disposeAsync());

  test(
    "a picture on the server's disk reaches the model byte for byte, by what the flags allow",
    async () => {
      await using recorder = new WireRecorder(serverUrl);
      await using place = await makeTemporaryDirectory();
      const path = join(place.path, "dot.png");
      await Bun.write(path, PNG);
      await using model = new ImageModel(path);
      const client = await model.clientFor(binary, place.path);

      const heard = await converse(
        { binary: client, serverUrl: recorder.url, workdir: place.path },
        notAsked,
      );
      expect(heard).toMatchObject({ said: "Seen", exitCode: 0 });
      expect(model.offered).toContain("view_image");
      expect(model.picture).toEqual(PNG);

      const asked = new Set(recorder.calls.map(({ method }) => method));
      // The client is on the same disk here, so that it asked us is to be shown.
      expect(asked).toContain("fs/readFile");
      const flags = await capabilitiesOf(serverUrl);
      const beyond = [...asked].filter((method) => method in FLAG_OF && flags[FLAG_OF[method]!] !== true);
      expect({ beyond, unknown: recorder.unknown }).toEqual({ beyond: [], unknown: [] });
    },
    TIMEOUT_MS,
  );
}

/** Of the model that every conversation brings along. */
function* notAsked(): Script {
  yield execCommand("false");
  return "The wrong model was asked";
}

async function capabilitiesOf(url: string): Promise<Record<string, boolean | undefined>> {
  await using peer = await Peer.ready(url);
  const { capabilities } = await peer.call<{ capabilities: Record<string, boolean> }>("environment/info", {});
  return capabilities;
}
