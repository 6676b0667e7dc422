import { oursTarget } from "../support/target_ours.ts";
import { realTarget } from "../support/target_real.ts";
import { findCodex } from "../support/real_codex.ts";
import { makeTemporaryDirectory } from "./temporary_directory.ts";
import { type Refuse, WireFilter } from "./wire_filter.ts";

export interface ServerUnderTest extends AsyncDisposable {
  readonly url: string;
}

/**
 * A server program of its own, so that what its commands see of the environment is not the tests': ours, or
 * with INTEROP_SERVER=real the newest codex behind a filter, to tell the client's doing from ours.
 */
export async function openServer(flags: string[] = []): Promise<ServerUnderTest> {
  const stack = new AsyncDisposableStack();
  try {
    const home = stack.use(await makeTemporaryDirectory()).path;
    const target = process.env.INTEROP_SERVER === "real" ? await findRealTarget() : oursTarget();
    if (target === undefined) throw new Error("There is no server to test yet");
    const env = { PATH: process.env.PATH ?? "", HOME: home, CODEX_HOME: home, RAN_ON: "the server" };
    const { url } = stack.use(await target.serve({ flags, env }));
    const entrance = target.name === "real" ? stack.use(new WireFilter(url, refuseAsOurs)).url : url;
    return { url: entrance, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What ours does not know, whatever else a newer codex may ask of its own. */
function refuseAsOurs(method: string): ReturnType<Refuse> {
  if (method === "initialize" || /^(capabilityRoots|environment|fs|http|process)\//.test(method)) return null;
  return { code: -32601, message: `exec-server stub does not implement \`${method}\` yet` };
}

async function findRealTarget(): Promise<ReturnType<typeof realTarget>> {
  const codex = await findCodex("0.169.0");
  if (!codex.found) throw new Error(codex.reason);
  return realTarget(codex.binary);
}
