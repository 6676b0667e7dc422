/** What an executor can do beyond the common ground; a missing one is false. Only true ones are named. */
export type Capabilities = Partial<
  Record<
    | "networkProxyLaunch"
    | "networkProxyReviewDomains"
    | "credentialMasking"
    | "credentialMaskingCustomProviders"
    | "capabilityDiscoverySandbox"
    | "fsWatchMissing"
    | "capabilityDiscoveryV2"
    | "environmentConfigRead"
    | "httpHeaderEnvVars"
    | "sandboxedFileStreaming"
    | "fileWriteStreaming"
    | "shellSnapshotV2"
    | "windowsMxc"
    | "linuxRootWritePreservesDevices"
    | "linuxApprovedRootWritePreservesRestrictions",
    boolean
  >
>;

export interface EnvironmentInfo {
  readonly shell: { readonly name: string; readonly path: string };
  readonly executorVersion: string;
  /** Constant for a build; says which program this is. */
  readonly providerId: string;
  /** null when the server's directory is gone. */
  readonly cwd: string | null;
  readonly userHomeDir?: string;
  readonly platformOs: "linux" | "macos" | "windows";
  readonly temporaryDirectories: readonly string[];
  readonly tempDir: string;
  readonly capabilities: Capabilities;
}

export interface EnvironmentStatus {
  readonly status: "ready";
}
