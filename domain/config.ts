import * as z from 'zod';
import { CollectorHost, certificateRefusal, hostRefusal } from './collector-hosts.ts';
import { serviceRefusal } from './consent-service.ts';
import { Campaigns, DecisionDefaults } from './decision-rules.ts';
import { HostName } from './host-name.ts';
import { INGEST_WINDOW_DAYS } from './ingest-window.ts';
import { MINIMUM_SEGMENT_SIZE } from './minimum-size.ts';
import { Notice } from './notice.ts';
import { personalFieldOf } from './personal-fields.ts';
import { CONSENT_ONLY, PURPOSES, Purpose } from './purposes.ts';
import { DEFAULT_REGION, EuRegion, requireEuRegion } from './region.ts';
import { isSpecialTerm, specialCategoryFinder } from './special-categories.ts';
import { ALIASED_EVENTS, RESERVED_FIELDS, STANDARD_FIELDS } from './standard-fields.ts';
import { LAST_TCF_PURPOSE, TCF_CONSENT_ONLY } from './tcf-purposes.ts';
import { MAX_VENDOR_ID } from './tcf-vendors.ts';
import { TRANSFER_MECHANISMS, transferRefusal } from './transfers.ts';

const Name = z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be lower-case letters, digits, "-" or "_", 40 at most');
const Origin = z
  .string()
  .regex(
    /^(https:\/\/[a-z0-9.-]+|http:\/\/localhost)(:\d{1,5})?$/,
    'must be an exact origin: https://host, or http://localhost, with a port where needed, without path',
  );
const Text = z.string().min(1).max(2000);

/** An event of the tracking plan: the fields that it may carry, and those without which it is refused. */
const PlannedEvent = z.strictObject({ fields: z.array(z.string()), required: z.array(z.string()).default([]) });

/**
 * A field of the tracking plan. At least one purpose: it is kept where any of them is granted.
 * `column: true` gives a field of the brand's own a column in the lake; else it stands in `properties`.
 */
const PlannedField = z.strictObject({
  type: z.enum(['text', 'integer', 'decimal', 'boolean', 'currency', 'products']),
  purposes: z.array(Purpose).min(1, 'every field needs at least one purpose'),
  maxLength: z.int().min(1).max(1000).default(100),
  column: z.boolean().default(false),
});

/** The balancing of interests behind a legitimate interest (GDPR Art. 5(2), 6(1)(f)): the document, when and by whom. */
const Assessment = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}$/, 'must be the id of a document, without spaces'),
  date: z.iso.date(),
  /** A role, such as "data protection officer": a person's name has no place in the configuration. */
  reviewer: Text.max(80),
});

const PurposeTerms = z.strictObject({
  legalBasis: z.enum(['consent', 'legitimate_interest', 'contract']),
  retentionDays: z.int().min(1).max(3650),
  notice: Notice,
  assessment: Assessment.optional(),
});

const Site = z.strictObject({
  /** Exact origins whose pages may call the browser routes with credentials. */
  origins: z.array(Origin).min(1),
  /** Hosts that `/click` may redirect to; https only. */
  clickHosts: z.array(HostName).default([]),
  /** Count events without an id where storage is not granted; false makes them a counter only. */
  anonymousCounting: z.boolean(),
});

const Source = z.strictObject({
  kind: z.enum(['browser', 'server', 'import']),
  site: Name,
  /** Names of the tracking plan's events that this source may send; absent means all. */
  events: z.array(z.string()).optional(),
});

/**
 * Longest interval of the plan: audiences that are a day old serve nobody, and the alarm for a late plan looks back over
 * four intervals, of which CloudWatch takes a week at most.
 */
const MAX_PLAN_SECONDS = 86_400;

const Stage = z.strictObject({
  region: EuRegion.default(DEFAULT_REGION),
  /** `retain` keeps the data stores when the stack goes; `destroy` is for throw-away stages. */
  removal: z.enum(['retain', 'destroy']),
  logRetentionDays: z.int().min(1).max(365),
  /** Write an API access log (without address, path or query). */
  accessLogs: z.boolean(),
  shards: z.int().min(1).max(200),
  /** How long `profile` gathers events: longer is cheaper (fewer writes), shorter suppresses sooner. */
  profileWindowSeconds: z.number().min(0).max(60),
  /** How long `land` gathers events: longer makes fewer, larger files. Lambda's limit is 300 s. */
  landWindowSeconds: z.number().min(0).max(300),
  /** How often the plan (ingest, features, segments, publish) runs. EventBridge takes whole minutes. */
  planEverySeconds: z.int().min(5).max(MAX_PLAN_SECONDS),
  /** How long a cart must lie still before its owner has abandoned it. */
  segmentQuietSeconds: z.int().min(0),
  /** Requests per second and burst that each route admits. */
  throttle: z.strictObject({ rate: z.int().min(1), burst: z.int().min(1) }),
  /** Bytes that one Athena statement may scan before it is cancelled. */
  scanLimitBytes: z.int().min(10_000_000),
  /**
   * Collector hosts under the brand's domain, by site, so that cookies are first-party. Where a stage has any, the door
   * answers under these names alone. docs/runbook.md says how to get a certificate and which DNS record to create.
   */
  hosts: z.record(Name, CollectorHost).default({}),
});

/** Who gets audiences. Without country and mechanism it is refused when the configuration loads, in functions too. */
const Destination = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 country'),
  transferMechanism: z.enum(TRANSFER_MECHANISMS),
});

/** What is special of personal data (GDPR Art. 9) beyond the built-in terms, and what may open it. */
const SpecialCategories = z.strictObject({
  /** Words that tell of a special category, such as a product line's name; they count at either end of a word. */
  extraTerms: z
    .array(z.string().max(60).refine(isSpecialTerm, 'must be words of at least four Latin letters'))
    .default([]),
  /**
   * The purpose whose notice asks for the explicit consent of Art. 9(2)(a). Without it no segment of that kind is built and
   * no text of that kind is kept. There is none for activation: it is never opened.
   */
  explicitConsentPurpose: z.enum(['measurement', 'profile', 'personalisation']).optional(),
});

/** Purposes of the IAB's Transparency and Consent Framework (policy 4 and later), by number. */
const TcfPurposes = z.array(z.int().min(1).max(LAST_TCF_PURPOSE)).default([]);

/**
 * The brand's own entry on the Global Vendor List. Without one (`vendorId: null`) no TC string can grant anything: a string
 * speaks to the vendors that it names, and other vendors' consents are not the brand's.
 */
const Tcf = z.strictObject({
  vendorId: z.int().min(1).max(MAX_VENDOR_ID).nullable().default(null),
  /** As it stands on the list: what is claimed here and not there has no basis. */
  registration: z
    .strictObject({ purposes: TcfPurposes, legIntPurposes: TcfPurposes, flexiblePurposes: TcfPurposes })
    .prefault({}),
});

const Shape = z.strictObject({
  brand: z.strictObject({ name: Text, controller: Text, contact: Text }),
  stages: z.record(Name, Stage),
  sites: z.record(Name, Site),
  /** The path of the pixel; ad blockers match paths, so it is the brand's choice. */
  pixelPath: z
    .string()
    .regex(/^\/(?!v1\/|click$)[a-zA-Z0-9._/-]{1,60}$/, 'must be a path such as /p.gif that no other route uses'),
  purposes: z.record(Purpose, PurposeTerms),
  trackingPlan: z.strictObject({
    fields: z.record(z.string(), PlannedField),
    events: z.record(z.string().min(1).max(60), PlannedEvent),
  }),
  sources: z.record(Name, Source),
  destinations: z.record(Name, Destination).default({}),
  /** What `/v1/decision` hides, and for how long. */
  decisions: DecisionDefaults.prefault({}),
  /** Frequency caps, by campaign. */
  campaigns: Campaigns,
  specialCategories: SpecialCategories.prefault({}),
  tcf: Tcf.prefault({}),
  /** Recognised consent services (TDDDG section 26) whose answers hold on the brand's sites. */
  consentServices: z.array(Text).default([]),
  /** Decisions with such an effect are no purpose of the platform (GDPR Art. 22), so there is only one answer. */
  pricesByProfile: z
    .literal(false, 'prices that differ by profile are out of scope: GDPR Art. 22 and a notice to the buyer apply')
    .default(false),
  /** Members below which a segment is neither exported, sent to a destination nor shown to an analyst. */
  minimumSegmentSize: z.int().min(1).default(MINIMUM_SEGMENT_SIZE),
  /** Days for which landing, rejected and failed batches are kept: what the law calls raw, 90 at most. */
  rawRetentionDays: z.int().min(INGEST_WINDOW_DAYS, 'ingest reads this many days of landing').max(90),
});

/** The shape of `paula.config.ts`; rules that span keys are in `crossChecks`. */
export const PaulaConfig = Shape.superRefine(crossChecks);

export type PaulaConfig = z.infer<typeof PaulaConfig>;
export type PaulaConfigInput = z.input<typeof PaulaConfig>;
export type StageConfig = z.infer<typeof Stage>;
export type SourceConfig = z.infer<typeof Source>;
export type SiteConfig = z.infer<typeof Site>;
export type PlannedField = z.infer<typeof PlannedField>;

/** Storage and device profiles end after 13 months at most: the TCF's re-ask period and the CNIL's limit for cookies. */
export const MAX_DEVICE_RETENTION_DAYS = 395;

function crossChecks(config: z.infer<typeof Shape>, ctx: z.RefinementCtx): void {
  const { purposes, trackingPlan, sources, sites } = config;
  const refuse = (path: (string | number)[], message: string) => ctx.addIssue({ code: 'custom', path, message });
  checkHosts(config, refuse);
  checkSpecialCategories(config, refuse);
  checkTcf(config, refuse);
  checkRecipients(config, refuse);
  checkCampaigns(config, refuse);

  for (const purpose of CONSENT_ONLY) {
    const terms = purposes[purpose];
    if (terms.legalBasis !== 'consent')
      refuse(['purposes', purpose, 'legalBasis'], `"${purpose}" needs consent; "${terms.legalBasis}" is refused`);
  }
  for (const purpose of PURPOSES) {
    const { retentionDays, legalBasis, assessment } = purposes[purpose];
    if (retentionDays > MAX_DEVICE_RETENTION_DAYS)
      refuse(['purposes', purpose, 'retentionDays'], `13 months (${MAX_DEVICE_RETENTION_DAYS} days) at most`);
    if (legalBasis === 'legitimate_interest' && !assessment)
      refuse(
        ['purposes', purpose, 'assessment'],
        'is required where a legitimate interest is claimed (GDPR Art. 5(2))',
      );
    if (legalBasis !== 'legitimate_interest' && assessment)
      refuse(['purposes', purpose, 'assessment'], `belongs to a legitimate interest, not to "${legalBasis}"`);
  }
  for (const [name, field] of Object.entries(trackingPlan.fields)) {
    const path = ['trackingPlan', 'fields', name];
    if (!/^[a-z][a-z0-9_]{0,59}$/.test(name)) refuse(path, 'a field name is lower-case letters, digits and "_"');
    if (RESERVED_FIELDS.has(name)) refuse(path, 'this name is written by the platform itself');
    const personal = personalFieldOf(name);
    if (personal) refuse(path, `"${name}" promises personal data in clear (${personal}), which is never collected`);
    const standard = Object.hasOwn(STANDARD_FIELDS, name) ? STANDARD_FIELDS[name] : undefined;
    if (standard && standard !== field.type)
      refuse([...path, 'type'], `the standard field "${name}" is of type ${standard}`);
    if (standard && field.column) refuse([...path, 'column'], 'a standard field has its column already');
    if (!standard && field.type === 'products')
      refuse([...path, 'type'], 'only the standard field "products" holds order lines');
  }
  for (const [name, event] of Object.entries(trackingPlan.events)) {
    for (const [i, field] of event.fields.entries())
      if (!trackingPlan.fields[field])
        refuse(['trackingPlan', 'events', name, 'fields', i], `"${field}" is not in trackingPlan.fields`);
    for (const [i, field] of event.required.entries())
      if (!event.fields.includes(field))
        refuse(['trackingPlan', 'events', name, 'required', i], `"${field}" is not among the event's fields`);
  }
  for (const event of ALIASED_EVENTS)
    if (!trackingPlan.events[event])
      refuse(['trackingPlan', 'events'], `"${event}" is missing: a route or pixel alias writes it`);
  const origins = new Map<string, string>();
  for (const [name, site] of Object.entries(sites)) {
    for (const [i, origin] of site.origins.entries()) {
      const other = origins.get(origin);
      if (other !== undefined) refuse(['sites', name, 'origins', i], `"${origin}" belongs to site "${other}" already`);
      origins.set(origin, name);
    }
  }
  for (const [name, source] of Object.entries(sources)) {
    if (!sites[source.site]) refuse(['sources', name, 'site'], `"${source.site}" is not a configured site`);
    for (const [i, event] of (source.events ?? []).entries())
      if (!trackingPlan.events[event])
        refuse(['sources', name, 'events', i], `"${event}" is not in trackingPlan.events`);
  }
}

/** An event's name stands in every row, whoever sent it; a field may be limited to those who explicitly consented. */
function checkSpecialCategories(
  {
    specialCategories: { extraTerms, explicitConsentPurpose: explicit },
    purposes,
    trackingPlan,
  }: z.infer<typeof Shape>,
  refuse: (path: (string | number)[], message: string) => void,
): void {
  if (explicit !== undefined && purposes[explicit].legalBasis !== 'consent')
    refuse(['specialCategories', 'explicitConsentPurpose'], `"${explicit}" needs the legal basis "consent"`);
  const find = specialCategoryFinder(extraTerms);
  for (const name of Object.keys(trackingPlan.events)) {
    const found = find(name);
    if (found) refuse(['trackingPlan', 'events', name], `"${found.term}" tells of ${found.category} (GDPR Art. 9)`);
  }
  for (const [name, field] of Object.entries(trackingPlan.fields)) {
    const found = find(name);
    if (found && !(field.purposes.length === 1 && field.purposes[0] === explicit))
      refuse(
        ['trackingPlan', 'fields', name],
        `"${found.term}" tells of ${found.category} (GDPR Art. 9): ` +
          'its one purpose must be specialCategories.explicitConsentPurpose',
      );
  }
}

/** Google's id on the list: it stands in many examples, and the consent to it is not the brand's. */
const GOOGLE_VENDOR_ID = 755;

function checkTcf(
  { tcf: { vendorId, registration } }: z.infer<typeof Shape>,
  refuse: (path: (string | number)[], message: string) => void,
): void {
  const { purposes, legIntPurposes, flexiblePurposes } = registration;
  if (vendorId === GOOGLE_VENDOR_ID)
    refuse(['tcf', 'vendorId'], `${GOOGLE_VENDOR_ID} is Google's on the vendor list; the brand's own id belongs here`);
  if (vendorId === null && purposes.length + legIntPurposes.length + flexiblePurposes.length > 0)
    refuse(['tcf', 'registration'], 'must be empty without a vendorId: who is not on the list has registered nothing');
  for (const [i, purpose] of legIntPurposes.entries()) {
    const path = ['tcf', 'registration', 'legIntPurposes', i];
    if (TCF_CONSENT_ONLY.includes(purpose)) refuse(path, `purpose ${purpose} needs consent`);
    if (purposes.includes(purpose)) refuse(path, `purpose ${purpose} is among registration.purposes already`);
  }
  for (const [i, purpose] of flexiblePurposes.entries())
    if (!purposes.includes(purpose) && !legIntPurposes.includes(purpose))
      refuse(
        ['tcf', 'registration', 'flexiblePurposes', i],
        `purpose ${purpose} is in neither registration.purposes nor registration.legIntPurposes`,
      );
}

/** Impressions are counted in the profile, which holds only what is collected for that purpose. */
function checkCampaigns(
  { campaigns, trackingPlan: { fields } }: z.infer<typeof Shape>,
  refuse: (path: (string | number)[], message: string) => void,
): void {
  if (fields.campaign?.purposes.includes('profile')) return;
  for (const name of Object.keys(campaigns))
    refuse(['campaigns', name], 'needs the field "campaign" in trackingPlan.fields, for the purpose "profile"');
}

function checkRecipients(
  { destinations, consentServices }: z.infer<typeof Shape>,
  refuse: (path: (string | number)[], message: string) => void,
): void {
  for (const [name, { country, transferMechanism }] of Object.entries(destinations)) {
    const refusal = transferRefusal(country, transferMechanism);
    if (refusal) refuse(['destinations', name, 'transferMechanism'], refusal);
  }
  for (const [i, service] of consentServices.entries()) {
    const refusal = serviceRefusal(service);
    if (refusal) refuse(['consentServices', i], refusal);
  }
}

/** A name leads to one place, so no two stages or sites share a host. */
function checkHosts(
  { stages, sites }: z.infer<typeof Shape>,
  refuse: (path: (string | number)[], message: string) => void,
): void {
  const taken = new Map<string, string>();
  const pages = Object.values(sites).flatMap(({ origins }) => origins);
  for (const [stageName, { hosts, region }] of Object.entries(stages)) {
    for (const [siteName, host] of Object.entries(hosts)) {
      const path = ['stages', stageName, 'hosts', siteName];
      const site = sites[siteName];
      if (!site) refuse(path, `"${siteName}" is not a configured site`);
      const refusal = site && hostRefusal(host, site.origins, pages);
      if (refusal) refuse([...path, 'name'], refusal);
      const other = taken.get(host.name);
      if (other !== undefined) refuse([...path, 'name'], `"${host.name}" belongs to ${other} already`);
      taken.set(host.name, `stages.${stageName}.hosts.${siteName}`);
      const misplaced = certificateRefusal(host, region);
      if (misplaced) refuse([...path, 'certificateArn'], misplaced);
    }
  }
}

/** Turns an input into a configuration; throws one error that lists every offending key with its rule. */
export function parseConfig(input: unknown): PaulaConfig {
  const parsed = PaulaConfig.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(root)'}: ${issue.message}`);
  throw new Error(`paula.config.ts is refused:\n${lines.join('\n')}`);
}

/** Gives `paula.config.ts` its types and validates it on load. */
export function defineConfig(input: PaulaConfigInput): PaulaConfig {
  return parseConfig(input);
}

/**
 * Returns a stage by name, optionally moved to another region, which is held to the same rules: throws where it is outside
 * the EU, or where a collector host has its certificate elsewhere.
 */
export function stageOf(config: PaulaConfig, name: string, region?: string): StageConfig {
  const stage = config.stages[name];
  if (!stage)
    throw new Error(`stage "${name}" is not in paula.config.ts; known: ${Object.keys(config.stages).join(', ')}`);
  if (region === undefined) return stage;
  const moved = { ...stage, region: requireEuRegion(region) };
  for (const [site, host] of Object.entries(moved.hosts)) {
    const misplaced = certificateRefusal(host, moved.region);
    if (misplaced) throw new Error(`stages.${name}.hosts.${site}.certificateArn: ${misplaced}`);
  }
  return moved;
}
