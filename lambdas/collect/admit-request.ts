import { type Admission, type AdmitDeps, type Arrival, admit } from '../../domain/admit.ts';
import type { Hmac } from '../../domain/consent-cookie.ts';
import type { Keys } from '../../domain/keys.ts';
import type { Sent } from '../../domain/sent.ts';
import { profileOf, type StreamRecord } from '../../domain/stream-record.ts';
import type { TrackingPlan } from '../../domain/tracking-plan.ts';
import type { Request } from '../http.ts';
import type { CollectDeps } from './deps.ts';

/** What `admit` needs, made once for each document of keys: event ids are hashes under its newest event key. */
export function admissionDeps(
  plan: TrackingPlan,
  keys: Keys,
  hmac: Hmac,
  readUserAgent: AdmitDeps['readUserAgent'],
): AdmitDeps {
  const [key] = keys.event;
  if (!key) throw new Error('the keys document holds no event key');
  return { plan, readUserAgent, eventId: (text) => hmac(text, key.key) };
}

/** What the request itself tells of an event's arrival; who sent it and under which consent comes from the caller. */
export function admitSent(
  sent: Sent,
  request: Request,
  by: Pick<Arrival, 'deviceId' | 'personId' | 'granted' | 'basis' | 'age'>,
  position: number,
  deps: CollectDeps,
): Admission {
  const admission = admit(
    sent,
    {
      deviceId: by.deviceId,
      personId: by.personId,
      granted: by.granted,
      basis: by.basis,
      age: by.age,
      receivedAt: request.receivedAt,
      requestId: request.requestId,
      position,
      country: sent.channel === 'browser' ? deps.country(request.sourceIp) : undefined,
    },
    deps.admission,
  );
  countAdmission(admission, sent, deps);
  return admission;
}

function countAdmission(admission: Admission, sent: Sent, deps: CollectDeps): void {
  if (admission.outcome === 'rejected') deps.count('Rejected', admission.record.reason);
  else if (admission.outcome === 'counted') {
    if (admission.reason) deps.count('Rejected', admission.reason);
    else deps.count('CountedOnly', sent.site);
  } else if (admission.redacted.length > 0) deps.count('Redacted', sent.source, admission.redacted.length);
}

/** The record under the partition key of the profile that it folds into; under a random one where there is none. */
export function keyed(
  record: StreamRecord,
  { randomId }: Pick<CollectDeps, 'randomId'>,
): { key: string; record: StreamRecord } {
  return { key: partitionKey(record) ?? randomId(), record };
}

function partitionKey(record: StreamRecord): string | undefined {
  if (record.kind === 'event') return profileOf(record);
  if (record.kind === 'link') return record.device_id;
  return record.kind === 'consent' ? record.subject : undefined;
}
