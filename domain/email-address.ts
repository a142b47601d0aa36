/** The at sign as it is or spelled out in brackets; or still encoded, where it was encoded more often than is undone. */
const AT = '(?:@|%(?:25){0,9}40|\\s?[([{<]\\s?(?:@|at|ät)\\s?[)\\]}>]\\s?)';
const DOT = '(?:\\.|\\s?[([{<]\\s?(?:\\.|dot|punkt)\\s?[)\\]}>]\\s?)';
const LABEL = '[\\p{L}\\p{N}-]{1,63}';

/** From the at sign on: a domain with its top level, or an address in brackets (RFC 5321, section 4.1.3). */
const AT_DOMAIN = new RegExp(
  `${AT}(?:${LABEL}(?:${DOT}${LABEL}){0,6}${DOT}(?:xn--[a-z0-9-]{1,59}|\\p{L}{2,24})|\\[[0-9a-f:.]{3,45}\\])`,
  'giu',
);

/** What stands before the at sign: 64 characters at most (RFC 5321, section 4.5.3.1.1). */
const LOCAL_PART = /(?<=("[^"]{1,62}"|[\p{L}\p{N}._%+'-]{1,64}))/uy;

/** Puts `mark()` in the place of every e-mail address. */
export function replaceEmails(text: string, mark: () => string): string {
  let clean = '';
  let from = 0;
  for (const { 0: hit, index } of text.matchAll(AT_DOMAIN)) {
    LOCAL_PART.lastIndex = index;
    const local = LOCAL_PART.exec(text)?.[1];
    if (local === undefined) continue;
    clean += text.slice(from, Math.max(from, index - local.length)) + mark();
    from = index + hit.length;
  }
  return clean + text.slice(from);
}
