import { PURPOSES } from '../../domain/purposes.ts';
import type { Request } from '../http.ts';
import type { CollectDeps } from './deps.ts';
import { type Choice, recordChoice } from './receipts.ts';

/**
 * Ends a person who a server says is under 16 (GDPR Art. 8), and the devices that are the person's, as by a withdrawal of
 * everything: what profiling has made goes before the answer, links end, and rows leave the lake at the next maintenance. The
 * withdrawal stands until the brand records a new choice, so it also keeps out later messages that say no age; that is why it
 * is no erasure, after which the next order would begin a new profile. It is noted of everybody, because a person of whom
 * the tables know nothing may be in the lake.
 */
export async function endMinor(
  person: string,
  { site, method }: Pick<Choice, 'site' | 'method'>,
  request: Request,
  deps: CollectDeps,
): Promise<void> {
  const { siblings = [] } = (await deps.links.read([person])).get(person) ?? {};
  for (const subject of [...siblings, person])
    await recordChoice({ subject, site, method, granted: [], withdrawn: PURPOSES }, request, deps);
}
