import type { AudiencesItem, BoughtItem, LinkItem, ProfileItem, SK } from '../domain/items.ts';

/** The key of an item of table `profiles`. */
export type ItemKey = { pk: string; sk: keyof typeof SK };

/** What table `profiles` holds of one device or person, of the items that were asked for. */
export type StoredItems = { profile?: ProfileItem; link?: LinkItem; audiences?: AudiencesItem; bought?: BoughtItem };

/** Reads items by key, by id; ids of which nothing is stored are missing. `strong`: sees every write that has returned. */
export type ReadItems = (
  keys: readonly ItemKey[],
  consistency: 'eventual' | 'strong',
) => Promise<ReadonlyMap<string, StoredItems>>;
