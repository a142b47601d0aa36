/** True where the last digit is right by Luhn's rule (ISO/IEC 7812-1, annex B), as on payment cards. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Digits of a trade item number: GTIN-8 (EAN-8), GTIN-12 (UPC-A), GTIN-13 (EAN-13) and GTIN-14. */
const GTIN_LENGTHS: ReadonlySet<number> = new Set([8, 12, 13, 14]);

/** True for a trade item number, digits alone, with its check digit right (GS1 General Specifications, section 7.9). */
export function isGtin(digits: string): boolean {
  if (!GTIN_LENGTHS.has(digits.length) || /\D/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++)
    sum += (digits.charCodeAt(digits.length - 1 - i) - 48) * (i % 2 === 0 ? 1 : 3);
  return sum % 10 === 0;
}

/** True where letters and digits, upper case and without spaces, leave 1 when divided by 97 (ISO 7064), as in an IBAN. */
export function passesMod97(compact: string): boolean {
  let remainder = 0;
  for (let i = 0; i < compact.length; i++) {
    // Country and check digits come last.
    const code = compact.charCodeAt((i + 4) % compact.length);
    const value = code < 65 ? code - 48 : code - 55;
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}
