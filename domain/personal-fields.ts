/** What a field's name says that it holds in clear. */
export type PersonalField =
  | 'name'
  | 'email'
  | 'phone'
  | 'address'
  | 'bank_account'
  | 'age'
  | 'ip_address'
  | 'user_agent';

/** Words before and after that leave the meaning as it is: `customer_email`, `billing_phone_number`, `email_sha256`. */
const BEFORE = '^(?:[a-z0-9_]+_)?';
const AFTER = '(?:_(?:number|no|nr|address|adresse|hash|hashed|md5|sha1|sha256|raw|text))?$';

const PATTERNS: readonly [PersonalField, RegExp][] = [
  [
    'name',
    /^(?:(?:[a-z0-9]+_)*(?:first|last|sur|full|given|family|middle|nick|user|customer|contact|person|vor|nach|familien|ruf|geburts|kunden|benutzer)_?)?names?$/,
  ],
  ['email', new RegExp(`${BEFORE}(?:e_?)?mail${AFTER}`)],
  [
    'phone',
    new RegExp(
      `${BEFORE}(?:tele)?(?:phone|fon)${AFTER}|${BEFORE}(?:tel|mobil|handy|(?:tele)?fax|whatsapp|msisdn)(?:nummer)?${AFTER}`,
    ),
  ],
  [
    'address',
    new RegExp(
      `${BEFORE}(?:street|strasse|hausnummer|house_number|anschrift|adresse|(?:home|postal|billing|shipping|delivery)_address)$|^address$`,
    ),
  ],
  [
    'bank_account',
    new RegExp(`${BEFORE}(?:iban|bic|kontonummer|kreditkarte|(?:credit_?)?card_?number|account_number)$`),
  ],
  [
    'age',
    new RegExp(
      `${BEFORE}(?:age|alter|birthdays?|birth_?date|birth_?year|date_of_birth|year_of_birth|dob|yob|geburts(?:datum|tag|jahr)|jahrgang|age_(?:group|range)|altersgruppe|(?:age_)?under_?1[368]|minor)$`,
    ),
  ],
  ['ip_address', new RegExp(`${BEFORE}(?:ip|ip_?v[46]|ip_?address|ip_?adresse)$`)],
  ['user_agent', /^(?:[a-z0-9_]+_)?user_?agent$/],
];

/**
 * Says whether the name of a tracking plan's field promises personal data in clear; `undefined` where it does not. Such a
 * field is refused: no redaction can tell a name from another word, an age is never collected to verify it, and what a
 * plan does not have is dropped at the door. `name` is a lower-case name with `_`.
 */
export function personalFieldOf(name: string): PersonalField | undefined {
  return PATTERNS.find(([, pattern]) => pattern.test(name))?.[0];
}
