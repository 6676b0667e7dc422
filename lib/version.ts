import manifest from "../deno.json" with { type: "json" };

/** Our own version. Its one home is `deno.json`; a build carries that file's text inside. */
export const version: string = manifest.version;
