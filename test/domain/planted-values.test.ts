import { describe, expect, it } from '@jest/globals';
import { type Admission, type Arrival, admit } from '../../domain/admit.ts';
import { readPixel } from '../../domain/pixel.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import { readSegmentMessage, sentOf } from '../../domain/segment-message.ts';
import type { Sent } from '../../domain/sent.ts';
import { compileTrackingPlan } from '../../domain/tracking-plan.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { userAgentReader } from '../../lambdas/adapters/user-agent.ts';
import config from '../../paula.config.ts';
import { leaksIn, PLANTED, type PlantedRequest, VALUES } from './planted-values.ts';

const plan = compileTrackingPlan(config);
const deps = { plan, eventId: (text: string) => hashes.hmac(text, 'A'.repeat(43)), readUserAgent: userAgentReader() };

const arrivals: Record<string, Arrival> = {
  'everything granted': {
    receivedAt: Date.UTC(2026, 10, 24),
    requestId: 'r1',
    position: 0,
    deviceId: 'd.abc',
    personId: 'p.k1.abc',
    granted: [...PURPOSES],
    country: 'DE',
  },
  'nothing granted': { receivedAt: Date.UTC(2026, 10, 24), requestId: 'r1', position: 0, granted: [], country: 'DE' },
};

/** The request as the door reads it. */
function sentBy({ query, headers, body, source }: PlantedRequest): Sent {
  if (body === undefined) {
    const page = { url: headers.referer, userAgent: headers['user-agent'] };
    const read = readPixel(new URLSearchParams(query), page, plan);
    if (!read) throw new Error('no site');
    return read.sent;
  }
  const read = readSegmentMessage(structuredClone(body));
  if ('issues' in read) throw new Error(JSON.stringify(read.issues));
  const kind = config.sources[source]?.kind ?? 'browser';
  return sentOf(read.message, { name: source, config: { kind, site: 'shop' } }, headers['user-agent']);
}

const kept = (admission: Admission): string => JSON.stringify(admission);

describe('planted values', () => {
  it('stand in at least 40 encodings and places, each kind in several, and are seen where they stand', () => {
    expect(new Set(PLANTED.map(({ encoding, place }) => `${encoding}\n${place}`)).size).toBeGreaterThanOrEqual(40);
    for (const kind of Object.keys(VALUES))
      expect(PLANTED.filter((planted) => planted.kind === kind).length).toBeGreaterThanOrEqual(7);
    for (const { kind, request } of PLANTED) expect(leaksIn(JSON.stringify(request))).toContain(kind);
  });

  it.each(Object.entries(arrivals))('are in no record, rejection or answer: %s', (_, arrival) => {
    for (const { kind, encoding, place, request } of PLANTED) {
      const admission = admit(sentBy(request), arrival, deps);
      expect({ kind, encoding, place, leaks: leaksIn(kept(admission)) }).toEqual({ kind, encoding, place, leaks: [] });
    }
  });

  it('are taken out of texts that are kept, and counted', () => {
    const redacted = PLANTED.flatMap(({ kind, request }) => {
      const admission = admit(sentBy(request), arrivals['everything granted'] as Arrival, deps);
      return admission.outcome === 'accepted' && admission.redacted.some((found) => found === kind) ? [kind] : [];
    });
    expect(redacted.length).toBeGreaterThanOrEqual(20);
    expect(new Set(redacted)).toEqual(new Set(Object.keys(VALUES)));
  });
});
