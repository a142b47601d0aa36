import { type Known, personOf } from '../../domain/decision.ts';
import { isLive, MAX_SIBLINGS, SK } from '../../domain/items.ts';
import { unpackBought, unpackProfile } from '../../domain/profile-codec.ts';
import { purposesInForce } from '../../domain/withdrawals.ts';
import type { ItemKey, ReadItems, StoredItems } from '../stored-items.ts';

/** Whom a decision is about, and the person's other devices. */
export type Related = { subjects: readonly Known[]; siblings: readonly Known[] };

/** What is stored of a device. */
export async function readDevice(deviceId: string, now: number, read: ReadItems): Promise<Known> {
  return knownOf(await read(keysOf(deviceId), 'eventual'), deviceId, now);
}

/**
 * The device with its person and that person's other devices, in one read: the device's link holds a copy of the person's
 * devices. The person's own list is the authority; a device that is no longer on it, or says otherwise itself, is left out.
 */
export async function readRelated(deviceId: string, device: Known, now: number, read: ReadItems): Promise<Related> {
  const personId = personOf(device.link);
  if (personId === undefined) return { subjects: [device], siblings: [] };
  const copied = (device.link?.siblings ?? []).filter((id) => id !== deviceId);
  const stored = await read([...keysOf(personId), ...copied.flatMap(siblingKeys)], 'eventual');
  const person = knownOf(stored, personId, now);
  if (!isMerged(person)) return { subjects: [device], siblings: [] };
  const listed = copied.filter((id) => person.link?.siblings?.includes(id));
  return { subjects: [device, person], siblings: ofPersons([personId], listed, stored, now) };
}

/**
 * A person under each id that it may have, with its devices: one read for the person and one for the devices, if any. While
 * two person keys are live a customer has an id under each, and all but one of them are empty.
 */
export async function readPerson(personIds: readonly string[], now: number, read: ReadItems): Promise<Related> {
  const stored = await read(personIds.flatMap(keysOf), 'eventual');
  const persons = personIds.map((id) => [id, knownOf(stored, id, now)] as const);
  const subjects = persons.map(([, person]) => person);
  const merged = persons.filter(([, person]) => isMerged(person));
  const listed = [...new Set(merged.flatMap(([, { link }]) => link?.siblings ?? []))].slice(-MAX_SIBLINGS);
  if (listed.length === 0) return { subjects, siblings: [] };
  const devices = await read(listed.flatMap(siblingKeys), 'eventual');
  const ids = merged.map(([id]) => id);
  return { subjects, siblings: ofPersons(ids, listed, devices, now) };
}

const isMerged = ({ link }: Known): boolean => purposesInForce(['identity_merge'], link).length > 0;

const ofPersons = (
  personIds: readonly string[],
  devices: readonly string[],
  stored: ReadonlyMap<string, StoredItems>,
  now: number,
): Known[] =>
  devices
    .map((id) => knownOf(stored, id, now))
    .filter(({ link }) => {
      const person = personOf(link);
      return person !== undefined && personIds.includes(person);
    });

const keysOf = (pk: string): ItemKey[] => Object.values(SK).map((sk) => ({ pk, sk }));

/** A sibling's audiences are its own: without them twenty devices and their person fit into one call. */
const siblingKeys = (pk: string): ItemKey[] => keysOf(pk).filter(({ sk }) => sk !== SK.audiences);

/** What is stored of an id, has not expired and is not of a life that was erased: the rights job deletes that within hours. */
function knownOf(stored: ReadonlyMap<string, StoredItems>, id: string, now: number): Known {
  const { profile, link, audiences, bought } = stored.get(id) ?? {};
  const live = <T extends { ttl: number }>(item: T | undefined) =>
    item && isLive(item, Math.floor(now / 1000)) ? item : undefined;
  const packed = { profile: live(profile)?.b, bought: live(bought)?.b };
  const unpacked = packed.profile && unpackProfile(packed.profile);
  const erased = live(link)?.erased;
  if (erased !== undefined && (!unpacked || unpacked.firstSeen <= erased)) return { link: live(link) };
  return {
    profile: unpacked,
    bought: packed.bought && unpackBought(packed.bought),
    link: live(link),
    audiences: [...(audiences?.ids ?? [])],
  };
}
