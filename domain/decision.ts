import type { DecisionRules } from './decision-rules.ts';
import type { LinkItem } from './items.ts';
import { DAY_MS, type Profile, type Purchase } from './profile.ts';
import { allPurchases } from './purchases.ts';
import { type Channel, opens, type Purpose } from './purposes.ts';
import { shortHash } from './short-hash.ts';
import { FOLD_NEEDS, hasObjected, purposesInForce } from './withdrawals.ts';

/** What is stored of a device or a person, as far as it is in force. */
export type Known = {
  profile?: Profile | undefined;
  bought?: ReadonlyMap<number, Purchase> | undefined;
  link?: LinkItem | undefined;
  audiences?: readonly string[] | undefined;
};

/** What a banner is for, as far as the caller says it. */
export type Placement = { product?: string | undefined; category?: string | undefined; campaign?: string | undefined };

/** Most placements of one question: a page or a mail has fewer. */
export const MAX_PLACEMENTS = 50;

/** Why a banner is shown or hidden. Where several hold, the first of these; `unknown` and `objected` hold for everything. */
export type Reason = 'unknown' | 'objected' | 'bought' | 'bought_category' | 'capped' | 'cooling_down' | 'eligible';

export type PlacementDecision = { show: boolean; reason: Reason };

/** The answer to "show these banners?", in the order of the placements. `audiences` only where a profile may be used. */
export type Decisions = { decisions: readonly PlacementDecision[]; audiences?: readonly string[] };

/** Nobody is known, so that every banner is shown. */
export const unknown = (placements: readonly Placement[]): Decisions => ({
  decisions: placements.map(() => ({ show: true, reason: 'unknown' })),
});

export type DecisionInput = {
  granted: readonly Purpose[];
  channel: Channel;
  /** Who is asked about: a device and the person whom it is linked to, or a person. What one has ended is ended for all. */
  subjects: readonly Known[];
  /** The person's other devices. */
  siblings?: readonly Known[];
  placements: readonly Placement[];
  rules: DecisionRules;
  /** True where the audience is published and not out of date. */
  isCurrent: (audience: string) => boolean;
  /** Milliseconds since the epoch. */
  now: number;
};

/**
 * Decides over the union of the subjects and the person's other devices: purchases net each other and impressions add up.
 * An objection does not hide a banner: shown to anybody, it is no direct marketing.
 */
export function decide(input: DecisionInput): Decisions {
  const { granted, channel, subjects, siblings = [], placements, isCurrent, now } = input;
  const purposes = purposesInForce(granted, ...subjects.map(({ link }) => link));
  if (!opens(purposes, channel).fold) return unknown(placements);
  if (subjects.some(({ link }) => hasObjected(link, now)))
    return { decisions: placements.map(() => ({ show: true, reason: 'objected' })), audiences: [] };

  const known = [...subjects, ...siblings.filter(({ link }) => isUsable(link, now))];
  const bought = boughtBy(known, placements, input);
  const decisions = placements.map((placement): PlacementDecision => {
    const hidden = bought(placement) ?? restOf(placement.campaign, known, input);
    return { show: hidden === undefined, reason: hidden ?? 'eligible' };
  });
  const audiences = purposes.includes('personalisation')
    ? [...new Set(subjects.flatMap((subject) => subject.audiences ?? []))].filter(isCurrent).sort()
    : [];
  return { decisions, audiences };
}

const isUsable = (link: LinkItem | undefined, now: number): boolean =>
  purposesInForce(FOLD_NEEDS.browser, link).length === FOLD_NEEDS.browser.length && !hasObjected(link, now);

type Bought = (placement: Placement) => 'bought' | 'bought_category' | undefined;

/**
 * Says what was bought and not all given back, within the days that the rules set: the product, or any of the category. A
 * product has the category that some order line gave it, so that its return needs none. One pass over all purchases serves
 * every placement.
 */
function boughtBy(
  known: readonly Known[],
  placements: readonly Placement[],
  { rules: { suppressProductDays, suppressCategoryDays }, now }: DecisionInput,
): Bought {
  const purchases = known.flatMap(({ profile, bought }) => (profile ? [allPurchases(profile.purchases, bought)] : []));
  const products = hashesOf(placements, 'product');
  const categories = hashesOf(placements, 'category');
  const categoriesOf = new Map<number, Set<number>>();
  for (const map of purchases)
    for (const [product, { category }] of map) {
      if (category !== undefined && categories.has(category)) add(categoriesOf, product, category);
      else if (products.has(product)) add(categoriesOf, product);
    }

  const today = Math.floor(now / DAY_MS);
  const productsBought = new Set<number>();
  const categoriesBought = new Set<number>();
  for (const [product, itsCategories] of categoriesOf) {
    const of = purchases.flatMap((map) => map.get(product) ?? []);
    if (of.reduce((sum, { net }) => sum + net, 0) <= 0) continue;
    const days = today - Math.max(...of.map(({ day }) => day));
    if (isWithin(days, suppressProductDays)) productsBought.add(product);
    if (isWithin(days, suppressCategoryDays)) for (const category of itsCategories) categoriesBought.add(category);
  }
  return ({ product, category }) => {
    if (product !== undefined && productsBought.has(shortHash(product))) return 'bought';
    return category !== undefined && categoriesBought.has(shortHash(category)) ? 'bought_category' : undefined;
  };
}

/** No days at all turn the rule off. */
const isWithin = (days: number, limit: number): boolean => limit > 0 && days <= limit;

const hashesOf = (placements: readonly Placement[], field: keyof Placement): ReadonlySet<number> =>
  new Set(placements.flatMap((placement) => (placement[field] === undefined ? [] : [shortHash(placement[field])])));

function add(categoriesOf: Map<number, Set<number>>, product: number, category?: number): void {
  const sofar = categoriesOf.get(product) ?? new Set<number>();
  if (category !== undefined) sofar.add(category);
  categoriesOf.set(product, sofar);
}

const HOUR_MS = 3_600_000;

/** Why a campaign rests: a cap that is reached, or an impression too short a time ago; undefined where neither holds. */
function restOf(
  campaign: string | undefined,
  known: readonly Known[],
  { rules, now }: DecisionInput,
): 'capped' | 'cooling_down' | undefined {
  if (campaign === undefined) return undefined;
  const { caps, coolDownHours } = rules.frequencyOf(campaign);
  if (caps.length === 0 && coolDownHours === 0) return undefined;
  const hash = shortHash(campaign);
  const lists = known.flatMap(({ profile }) => profile?.impressions.get(hash) ?? []);
  const within = (hours: number): number =>
    lists.reduce((count, second) => (second * 1000 > now - hours * HOUR_MS ? count + 1 : count), 0);
  if (caps.some(({ count, windowHours }) => within(windowHours) >= count)) return 'capped';
  return within(coolDownHours) > 0 ? 'cooling_down' : undefined;
}

/** The person that a device is linked to, unless the merge has been withdrawn. */
export const personOf = (link: LinkItem | undefined): string | undefined =>
  purposesInForce(['identity_merge'], link).length > 0 ? link?.person : undefined;
