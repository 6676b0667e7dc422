import { later, struct, text } from "./message_fields.ts";
import { pathUri } from "./fs_messages.ts";
import { sandboxContext } from "./sandbox_messages.ts";
import { listOf } from "./message_list.ts";

const root = later(() =>
  struct("WireCapabilityRootDiscoverRequest", {
    id: text(),
    path: pathUri(),
    sandbox: sandboxContext(),
  })
);

export const discoverParams = later(() =>
  struct("WireCapabilityRootsDiscoverParams", { roots: listOf(root()) })
);

interface TextFile {
  readonly path: string;
  readonly contents: string;
}

export interface DiscoveredRoot {
  readonly id: string;
  readonly path: string;
  readonly plugin:
    | {
      readonly manifest: TextFile;
      readonly mcpConfig: TextFile | null;
      readonly appsConfig: TextFile | null;
    }
    | null;
  readonly skills: readonly { readonly instructions: TextFile; readonly metadata: TextFile | null }[];
  readonly namespaceManifests: readonly TextFile[];
  readonly warnings: readonly string[];
  readonly error: string | null;
}

export interface DiscoverResult {
  readonly roots: readonly DiscoveredRoot[];
}
