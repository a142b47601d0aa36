import { passesMod97 } from './check-digits.ts';

/** Characters of an IBAN by country (ISO 13616, the registrar's list). */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Characters of the shortest one, Norway's. */
export const SHORTEST_IBAN = 15;

/** Where one may begin: country and check digits, at the start of a word or right behind the word itself. */
const START = /(?:(?<![0-9a-z])|(?<=iban))([a-z]{2})[ ._-]?\d{2}/gi;

const isAlphanumeric = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

const SEPARATORS: ReadonlySet<number> = new Set([...' ._+-'].map((char) => char.charCodeAt(0)));

/** The places of the IBANs of a text as `[start, end]`, in groups or in one piece, with check digits that are right. */
export function findIbans(text: string): [number, number][] {
  const found: [number, number][] = [];
  let from = 0;
  for (const { index, 1: country = '' } of text.matchAll(START)) {
    const length = LENGTHS.get(country.toUpperCase());
    if (length === undefined || index < from) continue;
    const end = endOf(text, index, length);
    if (end === undefined) continue;
    found.push([index, end]);
    from = end;
  }
  return found;
}

/** Where an IBAN of this length ends that begins at `start`; `undefined` where there is none. */
function endOf(text: string, start: number, length: number): number | undefined {
  let compact = '';
  let at = start;
  for (; compact.length < length; at++) {
    const code = text.charCodeAt(at);
    if (isAlphanumeric(code)) compact += text.charAt(at);
    else if (!SEPARATORS.has(code) || SEPARATORS.has(text.charCodeAt(at - 1))) return undefined;
  }
  return isAlphanumeric(text.charCodeAt(at)) || !passesMod97(compact.toUpperCase()) ? undefined : at;
}
