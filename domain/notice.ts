import * as z from 'zod';
import type { PaulaConfig } from './config.ts';
import { PURPOSES, type Purpose } from './purposes.ts';

/** The languages in which every notice is written: those of the market that the platform is made for. */
export const LANGUAGES = ['de', 'en'] as const;

export const Language = z.enum(LANGUAGES);
export type Language = z.infer<typeof Language>;

/** Longest notice of one purpose: a text that a person reads before choosing has to be short. */
const MAX_NOTICE_LENGTH = 600;

const NoticeText = z.string().trim().min(20, 'must say what is done with the data').max(MAX_NOTICE_LENGTH);

/** A version is a date, so that the newest can be told and nothing else can stand in it. */
export const TextVersion = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$/, 'must be a month or a day: YYYY-MM or YYYY-MM-DD');

/** What a person is told of a purpose. The version changes with the text. */
export const Notice = z.strictObject({
  version: TextVersion,
  text: z.strictObject({ de: NoticeText, en: NoticeText }),
});

type Noticed = Pick<PaulaConfig, 'purposes'>;

/** The version of the notice as a whole, which receipts and pages name: the newest of its purposes' versions. */
export const noticeVersion = ({ purposes }: Noticed): string =>
  PURPOSES.map((purpose) => purposes[purpose].notice.version).reduce((a, b) => (a > b ? a : b));

/**
 * The notice as one text, in a form that never changes by itself: what a receipt's digest is made of. It holds every
 * purpose, since a page shows them all and a refusal is a choice, too.
 */
export const noticeWording = ({ purposes }: Noticed): string =>
  JSON.stringify(
    PURPOSES.map((purpose) => {
      const { version, text } = purposes[purpose].notice;
      return [purpose, version, ...LANGUAGES.map((language) => text[language])];
    }),
  );

/** The legal bases of granted purposes as a receipt has them (ISO/IEC TS 27560): `storage=consent,measurement=consent`. */
export const legalBasisOf = ({ purposes }: Noticed, granted: readonly Purpose[]): string =>
  granted.map((purpose) => `${purpose}=${purposes[purpose].legalBasis}`).join(',');
