import type { Exchange } from './exchange.ts';
import type { Answer, CookieRule, Json } from './step.ts';

/** The pixel: a transparent GIF of one point. */
const GIF_BYTES = 43;

/** Thirteen months, which a choice and a cookie may be kept at most, as README says. */
const ATTRIBUTES = '; Path=/; Secure; HttpOnly; SameSite=None';
const KEPT = `; Max-Age=34128000${ATTRIBUTES}`;

const COOKIE_RULES: Readonly<Record<CookieRule, RegExp>> = {
  'consent cookie': new RegExp(`^paula_consent=v1\\.[\\w.-]+${KEPT}$`),
  'id cookie': new RegExp(`^paula_id=[\\w-]{22}${KEPT}$`),
  'id cookie removed': new RegExp(`^paula_id=; Max-Age=0${ATTRIBUTES}$`),
};

/** Says what of an answer is not as it must be, each in words; nothing where all is. Values of cookies are not told. */
export function faultsOf(seen: Exchange, wanted: Answer): string[] {
  const faults: string[] = [];
  if (seen.status !== wanted.status) faults.push(`status ${seen.status} instead of ${wanted.status}`);
  // No answer of the door may be kept by a cache: it depends on cookies and on consent that can end.
  const headers = { 'cache-control': 'no-store', ...wanted.headers };
  for (const [name, rule] of Object.entries(headers)) {
    const value = seen.headers[name]?.toString();
    if (!fits(value ?? null, rule)) faults.push(`header ${name}: ${shown(value)} instead of ${shown(rule)}`);
  }
  faults.push(...cookieFaults(seen.setCookies, wanted.cookies ?? []));
  if (wanted.body !== undefined) faults.push(...bodyFaults(seen, wanted.body));
  return faults;
}

function cookieFaults(lines: readonly string[], rules: readonly CookieRule[]): string[] {
  const names = lines.map((line) => line.slice(0, line.indexOf('=')));
  if (lines.length !== rules.length) return [`sets ${names.join(' and ') || 'no cookie'} instead of ${shown(rules)}`];
  return rules.flatMap((rule, i) =>
    COOKIE_RULES[rule].test(lines[i] ?? '') ? [] : [`${names[i]} is not set as the ${rule} must be`],
  );
}

function bodyFaults({ body }: Exchange, wanted: NonNullable<Answer['body']>): string[] {
  if (wanted === 'gif')
    return body.length === GIF_BYTES && body.subarray(0, 6).toString('latin1') === 'GIF89a'
      ? []
      : [`${body.length} bytes instead of the pixel`];
  if (wanted === 'empty') return body.length === 0 ? [] : [`${body.length} bytes of body instead of none`];
  try {
    const json: unknown = JSON.parse(body.toString());
    return fits(json, wanted) ? [] : [`body ${shown(json)} instead of ${shown(wanted)}`];
  } catch {
    return [`a body of ${body.length} bytes that is no JSON`];
  }
}

/** True where a value is the wanted one: objects and lists as a whole, a pattern for any text that it fits. */
function fits(value: unknown, wanted: Json): boolean {
  if (wanted instanceof RegExp) return typeof value === 'string' && wanted.test(value);
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(wanted)) return false;
  const names = Object.keys(value);
  return (
    names.length === Object.keys(wanted).length &&
    names.every(
      (name) =>
        Object.hasOwn(wanted, name) && fits((value as never)[name], (wanted as Record<string, Json>)[name] as Json),
    )
  );
}

const LONGEST = 300;

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  const text = JSON.stringify(value, (_, inner: unknown) => (inner instanceof RegExp ? String(inner) : inner));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
