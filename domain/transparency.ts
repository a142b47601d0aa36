import type { PaulaConfig } from './config.ts';
import { LANGUAGES, type Language, noticeVersion } from './notice.ts';
import { PURPOSES, type Purpose } from './purposes.ts';
import { RESERVED_FIELDS } from './standard-fields.ts';
import { stores } from './stores.ts';

type Texts = Readonly<Record<Language, string>>;

/** Where in the law a basis stands. */
export const LAW_OF_BASIS: Readonly<Record<PaulaConfig['purposes'][Purpose]['legalBasis'], string>> = {
  consent: 'GDPR Art. 6(1)(a)',
  legitimate_interest: 'GDPR Art. 6(1)(f)',
  contract: 'GDPR Art. 6(1)(b)',
};

/** What the law asks of a purpose beyond its basis. */
export const LAW_OF_PURPOSE: Readonly<Partial<Record<Purpose, string>>> = {
  storage: 'TDDDG section 25(1)',
  email: 'UWG section 7(2) no. 2 or 7(3)',
  email_tracking: 'TDDDG section 25(1)',
};

/** How the rights are used. `call` is what the preference page sends. */
const RIGHTS: readonly { right: string; article: string; call?: string; how: Texts }[] = [
  {
    right: 'withdrawal',
    article: 'GDPR Art. 7(3)',
    call: 'PUT /v1/consent',
    how: {
      de: 'Auf dieser Seite, mit demselben Klick, mit dem Sie zugestimmt haben. Der Widerruf wirkt ab der nächsten Anfrage; was bis dahin geschah, bleibt rechtmäßig.',
      en: 'On this page, by the same click as consenting. A withdrawal takes effect with the next request; what was done before stays lawful.',
    },
  },
  {
    right: 'access',
    article: 'GDPR Art. 15 and 20',
    call: 'GET /v1/me',
    how: {
      de: 'Auf dieser Seite für diesen Browser. Eine Kopie Ihrer Daten steht nach höchstens einer Stunde bereit, als JSON oder CSV. Für ein Kundenkonto fragen Sie uns.',
      en: 'On this page for this browser. A copy of your data is ready within an hour, as JSON or CSV. For a customer account ask us.',
    },
  },
  {
    right: 'erasure',
    article: 'GDPR Art. 17',
    call: 'POST /v1/me/erasure',
    how: {
      de: 'Auf dieser Seite für diesen Browser. Für ein Kundenkonto fragen Sie uns.',
      en: 'On this page for this browser. For a customer account ask us.',
    },
  },
  {
    right: 'rectification',
    article: 'GDPR Art. 16',
    how: { de: 'Schreiben Sie uns.', en: 'Write to us.' },
  },
  {
    right: 'restriction',
    article: 'GDPR Art. 18',
    how: { de: 'Schreiben Sie uns.', en: 'Write to us.' },
  },
  {
    right: 'complaint',
    article: 'GDPR Art. 77',
    how: {
      de: 'Bei jeder Datenschutz-Aufsichtsbehörde, zum Beispiel an Ihrem Wohnort.',
      en: 'With any data protection authority, for example where you live.',
    },
  },
];

/** The notice of Art. 21(4), which has to stand apart from everything else. */
const OBJECTION: { article: string; call: string; text: Texts } = {
  article: 'GDPR Art. 21(2) to (4)',
  call: 'POST /v1/me/objection',
  text: {
    de: 'Sie können jederzeit und ohne Angabe von Gründen der Verarbeitung Ihrer Daten für Direktwerbung widersprechen. Das gilt auch für das Profiling dafür. Wir verarbeiten Ihre Daten dann nicht mehr für diesen Zweck.',
    en: 'You may object at any time, without giving reasons, to the processing of your data for direct marketing. This includes profiling for it. We then no longer process your data for that purpose.',
  },
};

/** GDPR Art. 13(2)(f) and 22. The configuration refuses prices by profile. */
const AUTOMATED_DECISIONS: Texts = {
  de: 'Aus dem Profil folgt, welche Werbung Sie sehen. Preise und Verträge hängen nicht von ihm ab; es gibt keine automatisierte Entscheidung nach Art. 22 DSGVO.',
  en: 'The profile decides which advertising you see. Prices and contracts do not depend on it; there is no automated decision under GDPR Art. 22.',
};

/** Sources: what is not collected from the person's own browser (GDPR Art. 14(2)(f)). */
const SOURCE_TEXTS: Readonly<Record<'browser' | 'server' | 'import', Texts>> = {
  browser: { de: 'Ihr Browser', en: 'your browser' },
  server: { de: 'unser Shop-System', en: 'our shop system' },
  import: { de: 'frühere Bestelldaten', en: 'orders from before' },
};

/** Whether a page can grant a purpose, or only what a server proves (ADR 0020). */
export const givenBy = (purpose: Purpose): 'page' | 'confirmation' => (purpose === 'email' ? 'confirmation' : 'page');

/** Fields of the tracking plan that are collected for a purpose, by name. */
export const fieldsOf = ({ trackingPlan }: PaulaConfig, purpose: Purpose): string[] =>
  Object.entries(trackingPlan.fields)
    .flatMap(([name, { purposes }]) => (purposes.includes(purpose) ? [name] : []))
    .sort();

/** Who gets data, by name. */
export const recipientsOf = ({ destinations }: PaulaConfig) =>
  Object.entries(destinations).map(([recipient, { country, transferMechanism }]) => ({
    recipient,
    country,
    transferMechanism,
  }));

/**
 * What a person has to be told (GDPR Art. 12 to 14 and 21(4)), out of the configuration that the door enforces.
 * `noticeDigest` is the one that receipts carry.
 */
export function transparency(config: PaulaConfig, noticeDigest: string) {
  return {
    controller: { name: config.brand.controller, contact: config.brand.contact },
    brand: config.brand.name,
    languages: LANGUAGES,
    notice: { version: noticeVersion(config), digest: noticeDigest },
    objection: OBJECTION,
    purposes: PURPOSES.map((purpose) => {
      const { legalBasis, retentionDays, notice, assessment } = config.purposes[purpose];
      return {
        purpose,
        ...notice,
        legalBasis,
        law: [LAW_OF_BASIS[legalBasis], ...(LAW_OF_PURPOSE[purpose] ? [LAW_OF_PURPOSE[purpose]] : [])],
        ...(assessment && { assessment }),
        retentionDays,
        fields: fieldsOf(config, purpose),
        givenBy: givenBy(purpose),
      };
    }),
    ofEveryEvent: [...RESERVED_FIELDS].sort(),
    withoutConsent: Object.entries(config.sites).map(([site, { anonymousCounting }]) => ({
      site,
      counts: anonymousCounting ? 'events without any id' : 'nothing but a number',
    })),
    sources: Object.entries(config.sources).map(([source, { kind, site }]) => ({
      source,
      site,
      ...SOURCE_TEXTS[kind],
    })),
    recipients: recipientsOf(config),
    hosting: [...new Set(Object.values(config.stages).map(({ region }) => region))].sort(),
    retention: stores(config).map(({ name, retention }) => ({ store: name, ends: retention.ends })),
    rights: RIGHTS,
    automatedDecisions: AUTOMATED_DECISIONS,
  };
}

export type Transparency = ReturnType<typeof transparency>;
