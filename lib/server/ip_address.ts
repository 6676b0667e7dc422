// Not asked of `node:net`, which takes a tenth of a server's start to load, nor of URL, which in Bun refuses some
// addresses (`::0:0:0:0:0.0.0.0`). The test holds both against `node:net`.

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const GROUPS = 8;

/** Whether this is an IPv4 address in its usual spelling: four numbers, none with a leading zero. */
export function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

/** Whether this is an IPv6 address in any spelling, without brackets and without a scope. */
export function isIPv6(text: string): boolean {
  const [head, tail, more] = text.split("::");
  if (more !== undefined) return false;
  if (tail === undefined) return countGroups(head!, true) === GROUPS;
  const [before, after] = [countGroups(head!, false), countGroups(tail, true)];
  return before !== null && after !== null && before + after < GROUPS;
}

/** How many groups of 16 bits are written there, an address in dots at the end being two; null: not only such. */
function countGroups(text: string, mayEndInDots: boolean): number | null {
  if (text === "") return 0;
  const groups = text.split(":");
  const inDots = mayEndInDots && isIPv4(groups.at(-1)!);
  const inHex = inDots ? groups.slice(0, -1) : groups;
  if (!inHex.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return groups.length + (inDots ? 1 : 0);
}
