/** Objects and arrays inside each other, the outermost one included. The 128th is refused, as Codex does. */
export const MAX_JSON_DEPTH = 127;

/** Values in one message: every object, array, string, number, boolean and null. Keys are not values. */
export const MAX_JSON_VALUES = 262_144;
