import { newPersonId } from '../collect/person.ts';
import type { RightsDeps } from './deps.ts';

/** Ids of the brand's customers are shorter; what is longer is none. */
export const MAX_CUSTOMER_ID = 200;

/**
 * All that a person's rights are about: the customer's id under every live person key, and each device that is linked to one
 * of them now. The customer's id itself goes no further than this function.
 */
export async function subjectsOfPerson(customerId: string, deps: RightsDeps): Promise<string[]> {
  const { keys, hmac, links } = deps;
  const persons = keys.person.map((key) => newPersonId(customerId, { keys: { ...keys, person: [key] }, hmac }));
  const listed = [...(await links.read(persons)).values()].flatMap(({ siblings = [] }) => siblings);
  // The device's own link is what counts: a list may be older.
  const devices = [...(await links.read([...new Set(listed)])).values()].flatMap(({ pk, person }) =>
    person !== undefined && persons.includes(person) ? [pk] : [],
  );
  return [...persons, ...devices];
}
