/** Where a plugin says that its configuration is. */
export type ConfigPlace =
  | { readonly place: "default" }
  | { readonly place: "file"; readonly relative: string }
  /** It stands in the manifest itself. */
  | { readonly place: "inline" }
  | { readonly place: "ignored"; readonly why: string };

/** Reads a member of a manifest; what is no manifest says nothing. */
export function configPlace(manifest: string, member: "mcpServers" | "apps"): ConfigPlace {
  const value = memberOf(manifest, member);
  if (typeof value === "string") return namedPlace(value);
  const isInline = member === "mcpServers" && typeof value === "object" && value !== null &&
    !Array.isArray(value);
  return { place: isInline ? "inline" : "default" };
}

function namedPlace(name: string): ConfigPlace {
  if (!name.startsWith("./")) return { place: "ignored", why: "path must start with `./`" };
  const relative = name.slice(2);
  const names = relative.split("/").filter((part) => part !== "" && part !== ".");
  if (relative.startsWith("/") || names.length === 0 || names.includes("..") || name.includes("\0")) {
    return { place: "ignored", why: "path must remain below the capability root" };
  }
  return { place: "file", relative: names.join("/") };
}

function memberOf(manifest: string, member: string): unknown {
  try {
    const value: unknown = JSON.parse(manifest);
    return typeof value === "object" && value !== null && Object.hasOwn(value, member)
      ? (value as Record<string, unknown>)[member]
      : undefined;
  } catch {
    return undefined; // the client sees what it says, and says what is wrong with it
  }
}
