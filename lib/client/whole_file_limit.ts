import { MAX_MESSAGE_BYTES } from "../wire/message_limits.ts";

/** What fits into one message as base64, with room for what stands around it. */
export const MAX_WHOLE_FILE_BYTES = MAX_MESSAGE_BYTES / 4 * 3 - 1024 * 1024;
