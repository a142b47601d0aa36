/** Whether a sender says that a person is under the age at which consent is one's own to give. */
export type AgeSignal = 'under_16' | 'of_age';

/** Age of own consent in Germany and, by default, in the Union (GDPR Art. 8(1)). */
const AGE_OF_CONSENT = 16;

/** A group that ends with 18 and names no lower end is one of minors; one that ends higher says nothing of children. */
const MAJORITY = 18;

/** Nobody got older than 122; what says more is no age. */
const OLDEST = 122;

/** What a message of a sender may say of a person's age; see `segment-message.ts`. */
type Said = Readonly<Record<'traits' | 'properties' | 'context', Readonly<Record<string, unknown>> | null | undefined>>;

/**
 * Reads whether a message speaks of a person under 16: ages, dates and years of birth, age groups and flags in traits,
 * properties and `context.traits`, as senders name and write them in German and English. Where several things are said or
 * one can be read in two ways, the lower age counts. For the decision alone: it is never stored. `asOf` in milliseconds.
 */
export function ageSignal({ traits, properties, context }: Partial<Said>, asOf: number): AgeSignal | undefined {
  const signals = [traits, properties, context?.traits].map((fields) => signalOf(fields, asOf));
  return signals.includes('under_16') ? 'under_16' : signals.find((signal) => signal !== undefined);
}

function signalOf(fields: unknown, asOf: number): AgeSignal | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined;
  let signal: AgeSignal | undefined;
  for (const key in fields) {
    if (!HINT.test(key)) continue;
    const read = READERS.get(key.toLowerCase().replace(/[^a-z0-9]/g, ''));
    const said = read?.((fields as Record<string, unknown>)[key], asOf);
    if (said === 'under_16') return said;
    signal ??= said;
  }
  return signal;
}

type Reader = (value: unknown, asOf: number) => AgeSignal | undefined;

/** Few keys have any of these, and to write a key in its plain form costs more than to look for them. */
const HINT = /age|alter|birth|bday|born|geb|dob|yob|jahr|minor|minder|adult|under|unter|over|ber|voll/i;

/** By key in lower case without separators and umlauts. */
const READERS: ReadonlyMap<string, Reader> = new Map([
  ...readBy(readAge, 'age alter userage customerage ageyears ageinyears alterinjahren'),
  ...readBy(readGroup, 'agegroup agerange agebracket agebucket agesegment altersgruppe altersklasse'),
  ...readBy(readBirthDate, 'birthday birthdate bday dob dateofbirth born geburtsdatum geburtstag gebdatum'),
  ...readBy(readBirthYear, 'birthyear yearofbirth yob geburtsjahr jahrgang'),
  ...readBy(flag('under_16', 'of_age'), 'ageunder16 under16 isunder16 unter16 istunter16 minor isminor underage'),
  ...readBy(flag('under_16', undefined), 'ageunder13 under13 isunder13 minderjhrig minderjaehrig istminderjaehrig'),
  ...readBy(flag('of_age', 'under_16'), 'ageover16 over16 isover16 ber16 ueber16'),
  ...readBy(flag('of_age', undefined), 'adult isadult over18 isover18 ageover18 volljhrig volljaehrig istvolljaehrig'),
]);

function readBy(read: Reader, keys: string): [string, Reader][] {
  return keys.split(' ').map((key) => [key, read]);
}

const YES = /^(?:true|1|yes|y|ja|j)$/i;
const NO = /^(?:false|0|no|n|nein)$/i;

function flag(yes: AgeSignal, no: AgeSignal | undefined): Reader {
  return (value) => {
    const text = textOf(value);
    return YES.test(text) ? yes : NO.test(text) ? no : undefined;
  };
}

/** Longer texts say no age. */
const LONGEST = 40;

function textOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.length <= LONGEST ? value.trim() : '';
}

const AGE = /^(\d{1,3})(?:[.,]\d+)?(?: ?(?:years?(?: old)?|yrs?|yo|y|jahre?(?: alt)?|j)\.?)?$/i;

/** Zero is what a missing number becomes on many a way, so it says nothing. */
function readAge(value: unknown): AgeSignal | undefined {
  const text = textOf(value);
  const years = AGE.exec(text)?.[1];
  if (years === undefined) return readGroup(value);
  const age = Number(years);
  return age === 0 || age > OLDEST ? undefined : of(age >= AGE_OF_CONSENT);
}

const of = (old: boolean): AgeSignal => (old ? 'of_age' : 'under_16');

const BETWEEN = /^(\d{1,3}) ?(?:-|–|_|to|bis) ?(\d{1,3})\b/i;
const BELOW = /^(?:<|<=|≤|u|under|below|unter|bis|up to) ?(\d{1,3})\b/i;
const FROM = /^(?:(?:>=|≥|from|ab) ?(\d{1,3})\b|(\d{1,3}) ?(?:\+|plus|and over|und älter))/i;
const ABOVE = /^(?:>|ü|over|above|über) ?(\d{1,3})\b/i;

/** A group counts by its youngest: of `13-17` it is not known that they are 16. */
function readGroup(value: unknown): AgeSignal | undefined {
  const text = textOf(value);
  const between = BETWEEN.exec(text);
  if (between) return of(Number(between[1]) >= AGE_OF_CONSENT);
  const below = BELOW.exec(text);
  if (below) return Number(below[1]) <= MAJORITY ? 'under_16' : undefined;
  const from = FROM.exec(text);
  if (from) return Number(from[1] ?? from[2]) >= AGE_OF_CONSENT ? 'of_age' : undefined;
  const above = ABOVE.exec(text);
  return above && Number(above[1]) >= AGE_OF_CONSENT - 1 ? 'of_age' : undefined;
}

/** Of a year alone the birthday is not known: who turns 16 in this year may not have yet. */
function readBirthYear(value: unknown, asOf: number): AgeSignal | undefined {
  const year = /^(?:19|20)\d\d$/.exec(textOf(value))?.[0];
  return year === undefined ? undefined : ofBirth(Number(year), 12, 31, asOf);
}

/** Numbers up to here are a day as YYYYMMDD, up to the next seconds since the epoch, above it milliseconds. */
const LAST_DAY_NUMBER = 21001231;
const LAST_SECONDS = 1e11;

const YEAR_FIRST = /^((?:19|20)\d\d)[-/.]?(?:(\d\d?)[-/.]?(?:(\d\d?)(?!\d))?)?/;
const YEAR_LAST = /^(\d\d?)[-/. ]{1,2}(\d\d?)[-/. ]{1,2}((?:19|20)\d\d)\b/;
const ANY_YEAR = /\b(?:19|20)\d\d\b/;

function readBirthDate(value: unknown, asOf: number): AgeSignal | undefined {
  const text = textOf(value);
  if (/^-?\d{9,14}(?:\.\d+)?$/.test(text) || (typeof value === 'number' && Math.abs(value) > LAST_DAY_NUMBER)) {
    const number = Number(text);
    const born = new Date(Math.abs(number) < LAST_SECONDS ? number * 1000 : number);
    return ofBirth(born.getUTCFullYear(), born.getUTCMonth() + 1, born.getUTCDate(), asOf);
  }
  const first = YEAR_FIRST.exec(text);
  if (first) return ofBirth(Number(first[1]), Number(first[2] ?? 12), Number(first[3] ?? 31), asOf);
  const last = YEAR_LAST.exec(text);
  if (last) {
    // Day or month first: both are in use. Where both are possible the later day counts.
    const [low = 0, high = 0] = [Number(last[1]), Number(last[2])].sort((one, other) => one - other);
    return high > 12 ? ofBirth(Number(last[3]), low, high, asOf) : ofBirth(Number(last[3]), high, low, asOf);
  }
  const year = ANY_YEAR.exec(text)?.[0];
  return year === undefined ? undefined : ofBirth(Number(year), 12, 31, asOf);
}

/** The signal of a day of birth; `undefined` where it is after this year or longer ago than anyone lived. */
function ofBirth(year: number, month: number, day: number, asOf: number): AgeSignal | undefined {
  const today = new Date(asOf);
  const years = today.getUTCFullYear() - year;
  if (!(years >= 0 && years <= OLDEST)) return undefined;
  const before = today.getUTCMonth() + 1 < month || (today.getUTCMonth() + 1 === month && today.getUTCDate() < day);
  return of(years - (before ? 1 : 0) >= AGE_OF_CONSENT);
}
