import type { Flag } from "../command.ts";

/** The flags that say which environment is meant. */
export const placeFlags: readonly Flag[] = [
  {
    name: "server",
    short: "s",
    value: "URL",
    summary: "ws://, wss:// or unix:/; else EXEC_SERVER_URL, the configuration, or here",
  },
  { name: "host", value: "NAME", summary: "one of the configured hosts, or `local`" },
  { name: "token-file", value: "FILE", summary: "the server's token; else EXEC_SERVER_TOKEN_FILE" },
  { name: "tls-ca", value: "FILE", summary: "certificate authority of a wss:// server" },
];
