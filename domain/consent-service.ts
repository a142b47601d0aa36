import type { Purpose } from './purposes.ts';

/** What a person has answered at a recognised consent service. `givenAt` in milliseconds since the epoch. */
export type ServiceAnswer = { granted: readonly Purpose[]; givenAt: number; noticeVersion: string };

/**
 * A recognised consent service (TDDDG section 26, EinwV in force since 1 April 2025). Sites use one of their own will
 * (EinwV sections 18 and 19); one that does keeps to its answer and does not ask again.
 */
export type ConsentService = {
  /** As the register of the authority has it. */
  name: string;
  /** The person's answer for a site, or undefined where the service has none; a service that fails has none either. */
  answerFor: (site: string, signal: string) => Promise<ServiceAnswer | undefined>;
};

/** The services that an adapter exists for: none has been built yet. */
const BUILT: readonly ConsentService['name'][] = [];

/** Why a service cannot be named in the configuration. */
export const serviceRefusal = (name: string): string | undefined =>
  BUILT.includes(name)
    ? undefined
    : `no adapter for the consent service "${name}" has been built; domain/consent-service.ts has its interface`;

/**
 * True where a page may ask of its own accord: the person has answered the text in force neither here nor at a consent
 * service. A refusal is an answer, too. A version is the date from which a text is in force.
 */
export function mayAsk(
  own: { givenAt: number } | undefined,
  service: ServiceAnswer | undefined,
  noticeVersion: string,
): boolean {
  const answeredHere = own !== undefined && own.givenAt >= Date.parse(noticeVersion);
  return !answeredHere && service?.noticeVersion !== noticeVersion;
}
