const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const DOT = '(?:\\.|\\[\\.\\]|\\(\\.\\))';

/** Four octets, not the middle of a longer number, and not behind the `v` of a version. */
const IPV4 = new RegExp(
  `(?<![0-9.])(?<!(?<![a-z0-9])v(?:ersion ?|\\.|\\. )?)(?:${OCTET}${DOT}){3}${OCTET}(?!\\.?\\d)`,
  'gi',
);

/** What may be an IPv6 address; `isIpv6` decides. */
const HEX_GROUPS = /(?<![0-9a-z])(?:::|[0-9a-f]{1,4}:)[0-9a-f:]{0,42}(?:[0-9a-f]|::)(?![0-9a-z])/gi;

/** First groups of addresses that hosts have: global, unique local, link-local, NAT64 (RFC 4291, 4193, 6052). */
const FIRST_GROUP = /^(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]|64)$/i;

const GROUPS = 8;

/**
 * Puts `mark()` in the place of every IPv4 and IPv6 address (RFC 4291 spellings; dots in brackets count). Four numbers that
 * no host has as its address (0.x, x.0.0) are a version. In an id they need three digits in one place besides, since
 * article numbers are written with dots too.
 */
export function replaceAddresses(text: string, mark: () => string, inId: boolean): string {
  return text
    .replace(IPV4, (hit) => (isHost(hit) && (!inId || /\d{3}/.test(hit)) ? mark() : hit))
    .replace(HEX_GROUPS, (hit) => (isIpv6(hit) ? mark() : hit));
}

const isHost = (quad: string): boolean => !quad.startsWith('0') && !/\D0\D+0$/.test(quad);

/** Full addresses have eight groups. A shortened one needs a known start: `::` stands in programs and headings, too. */
function isIpv6(text: string): boolean {
  const [head = '', tail, more] = text.split('::');
  if (more !== undefined) return false;
  const groups = [...groupsOf(head), ...groupsOf(tail ?? '')];
  if (!groups.every((group) => group.length >= 1 && group.length <= 4)) return false;
  if (tail === undefined) return groups.length === GROUPS;
  const [first = ''] = groups;
  return groups.length < GROUPS && (head === '' ? groups.length > 1 && /^ffff$/i.test(first) : FIRST_GROUP.test(first));
}

const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));
