import * as z from 'zod';
import { MAX_CAP_COUNT, MAX_CAP_WINDOW_HOURS } from './impressions.ts';

/** More caps of one campaign (hour, day, week, month) would only repeat each other. */
const MAX_CAPS = 4;

/**
 * Half a year: longer than a bottle of anything lasts, so that nobody is asked to buy what still stands on the shelf. A
 * brand whose products are used up sooner sets less.
 */
const PRODUCT_DAYS = 180;

/** Who has just bought from a category has made the choice; two weeks later something that goes with it is of use again. */
const CATEGORY_DAYS = 14;

/** Purchases end with the profile that holds them, after 13 months at most; 0 turns a rule off. */
const Days = z.int().min(0).max(395);

const CoolDownHours = z.number().min(0).max(MAX_CAP_WINDOW_HOURS);

/** At most `count` impressions within any `windowHours`; fractions of an hour are allowed. */
const Cap = z.strictObject({
  count: z.int().min(1).max(MAX_CAP_COUNT, `a profile keeps the last ${MAX_CAP_COUNT} impressions of a campaign`),
  windowHours: z
    .number()
    .positive()
    .max(MAX_CAP_WINDOW_HOURS, `a profile keeps impressions for ${MAX_CAP_WINDOW_HOURS} hours`),
});

/** How often a campaign's banners are shown: all caps must hold, and the cool-down since the last impression. */
export const Campaign = z.strictObject({
  caps: z.array(Cap).max(MAX_CAPS).default([]),
  /** Absent: that of `decisions`. */
  coolDownHours: CoolDownHours.optional(),
});

/** For how many days a purchase hides banners, and how long a campaign rests after an impression unless it says otherwise. */
export const DecisionDefaults = z.strictObject({
  suppressProductDays: Days.default(PRODUCT_DAYS),
  suppressCategoryDays: Days.default(CATEGORY_DAYS),
  /** None: a page may show two banners of one campaign. */
  coolDownHours: CoolDownHours.default(0),
});

/** The campaigns by the name that their events carry in `campaign`, as long as the door keeps one. */
export const Campaigns = z.record(z.string().min(1).max(100), Campaign).default({});

type Frequency = { caps: readonly z.infer<typeof Cap>[]; coolDownHours: number };

export type DecisionRules = {
  suppressProductDays: number;
  suppressCategoryDays: number;
  /** A campaign that the configuration does not name has no caps. */
  frequencyOf: (campaign: string) => Frequency;
};

/** The rules of a configuration, made once. */
export function decisionRules({
  campaigns,
  decisions: { suppressProductDays, suppressCategoryDays, coolDownHours },
}: {
  campaigns: z.infer<typeof Campaigns>;
  decisions: z.infer<typeof DecisionDefaults>;
}): DecisionRules {
  const frequencies = new Map<string, Frequency>(
    Object.entries(campaigns).map(([name, { caps, coolDownHours: own = coolDownHours }]) => [
      name,
      { caps, coolDownHours: own },
    ]),
  );
  const others: Frequency = { caps: [], coolDownHours };
  return { suppressProductDays, suppressCategoryDays, frequencyOf: (campaign) => frequencies.get(campaign) ?? others };
}
