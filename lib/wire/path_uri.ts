import * as z from "zod/mini";
import { type FileUri, FileUriError, parseFileUri } from "./file_uri.ts";
import { text } from "./message_fields.ts";

/** A path URI. It may be one of another kind of machine: whoever uses it finds out. */
export const pathUri = () =>
  z.pipe(
    text(),
    z.transform((given, { issues, value }): FileUri => {
      try {
        return parseFileUri(given);
      } catch (error) {
        if (!(error instanceof FileUriError)) throw error;
        issues.push({ code: "custom", message: error.message, input: value });
        return z.NEVER;
      }
    }),
  );
