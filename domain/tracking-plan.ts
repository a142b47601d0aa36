import type { PaulaConfig, PlannedField } from './config.ts';
import { purposeMask } from './purposes.ts';
import { type SpecialCategoryFinder, specialCategoryFinder } from './special-categories.ts';
import { STANDARD_FIELDS } from './standard-fields.ts';

/** One field of an event as the plan has it. `standard` fields have a lake column of their own. */
export type PlannedEventField = PlannedField & { name: string; standard: boolean; mask: number };

export type PlannedEvent = {
  name: string;
  fields: readonly PlannedEventField[];
  byName: ReadonlyMap<string, PlannedEventField>;
  required: readonly string[];
};

/** The configuration, made ready for one look-up per event. Built once per process. */
export type TrackingPlan = {
  config: PaulaConfig;
  events: ReadonlyMap<string, PlannedEvent>;
  /** The browser source that a site's pixel writes for. */
  pixelSources: ReadonlyMap<string, string>;
  /** The site that an exact origin belongs to. */
  siteOfOrigin: ReadonlyMap<string, string>;
  /** Tells of which special category a text speaks, by the built-in terms and the configuration's. */
  findSpecial: SpecialCategoryFinder;
};

/** Makes the plan of a validated configuration. */
export function compileTrackingPlan(config: PaulaConfig): TrackingPlan {
  const events = new Map<string, PlannedEvent>();
  for (const [name, event] of Object.entries(config.trackingPlan.events)) {
    const fields = event.fields.flatMap((field) => {
      const planned = config.trackingPlan.fields[field];
      return planned
        ? [
            {
              ...planned,
              name: field,
              standard: Object.hasOwn(STANDARD_FIELDS, field),
              mask: purposeMask(planned.purposes),
            },
          ]
        : [];
    });
    events.set(name, {
      name,
      fields,
      byName: new Map(fields.map((field) => [field.name, field])),
      required: event.required,
    });
  }
  const pixelSources = new Map<string, string>();
  for (const [name, source] of Object.entries(config.sources))
    if (source.kind === 'browser' && !pixelSources.has(source.site)) pixelSources.set(source.site, name);
  const siteOfOrigin = new Map(
    Object.entries(config.sites).flatMap(([name, { origins }]) => origins.map((origin) => [origin, name] as const)),
  );
  const findSpecial = specialCategoryFinder(config.specialCategories.extraTerms);
  return { config, events, pixelSources, siteOfOrigin, findSpecial };
}
