import type { Purpose } from './purposes.ts';

/**
 * True where a browser objects by itself: `Sec-GPC: 1` (Global Privacy Control) or `DNT: 1`, an objection by automated means
 * (GDPR Art. 21(5); LG Berlin 16 O 420/19). Header names are lower-case; a repeated header comes joined with commas. It is
 * true of its own request and is never stored.
 */
export const objectsAutomatically = (headers: Readonly<Record<string, string | undefined>>): boolean =>
  isOn(headers['sec-gpc']) || isOn(headers.dnt);

const isOn = (value: string | undefined): boolean => value?.split(',').some((part) => part.trim() === '1') ?? false;

/** What an opt-in of the person's own keeps under such an objection: everything but the handing on to others. */
export const underAutomatedObjection = (granted: readonly Purpose[]): readonly Purpose[] =>
  granted.filter((purpose) => purpose !== 'activation');
