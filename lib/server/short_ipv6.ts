/**
 * The one short spelling of an IPv6 address (RFC 5952): lower case, the longest run of zeros as `::`, an IPv4 address
 * embedded as `::ffff:` in dots. Expects an address without scope that `isIPv6` knows. Not left to URL, because Bun's
 * refuses some of those (`::0:0:0:0:0.0.0.0`).
 */
export function shortIPv6(address: string): string {
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return `::ffff:${dotted(groups[6], groups[7])}`;
  const zeros = longestRunOfZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  // One zero alone gains nothing from `::` and stays.
  if (zeros.length < 2) return hex.join(":");
  return `${hex.slice(0, zeros.start).join(":")}::${hex.slice(zeros.start + zeros.length).join(":")}`;
}

function groupsOf(address: string): number[] {
  const [head, tail] = address.split("::").map(writtenGroups);
  if (tail === undefined) return head;
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function writtenGroups(text: string): number[] {
  return text.split(":").filter((group) => group !== "").flatMap((group) => {
    if (!group.includes(".")) return [parseInt(group, 16)];
    const [a, b, c, d] = group.split(".").map(Number);
    return [a << 8 | b, c << 8 | d];
  });
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The first of the longest. */
function longestRunOfZeros(groups: number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    const end = groups.findIndex((group, at) => at >= start && group !== 0);
    const length = (end === -1 ? groups.length : end) - start;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}
