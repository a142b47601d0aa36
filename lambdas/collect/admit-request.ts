import { type Admission, type AdmitDeps, type Arrival, admit } from '../../domain/admit.ts';
import type { Sent } from '../../domain/sent.ts';
import { profileOf, type StreamRecord } from '../../domain/stream-record.ts';
import type { Request } from '../http.ts';
import type { CollectDeps } from './deps.ts';

/** What the request itself tells of an event's arrival; who sent it and under which consent comes from the caller. */
export function admitSent(
  sent: Sent,
  request: Request,
  by: Pick<Arrival, 'deviceId' | 'personId' | 'granted'>,
  position: number,
  deps: CollectDeps,
): Admission {
  const admission = admit(
    sent,
    {
      ...by,
      receivedAt: request.receivedAt,
      requestId: request.requestId,
      position,
      country: sent.channel === 'browser' ? deps.country(request.sourceIp) : undefined,
    },
    admitDeps(deps),
  );
  countAdmission(admission, sent, deps);
  return admission;
}

function admitDeps(deps: CollectDeps): AdmitDeps {
  const eventKey = deps.keys.event[0]?.key ?? '';
  return { plan: deps.plan, readUserAgent: deps.readUserAgent, eventId: (text) => deps.hmac(text, eventKey) };
}

function countAdmission(admission: Admission, sent: Sent, deps: CollectDeps): void {
  if (admission.outcome === 'rejected') deps.count('Rejected', admission.record.reason);
  else if (admission.outcome === 'counted') deps.count('CountedOnly', sent.site);
  else {
    if (admission.redacted.length > 0) deps.count('Redacted', sent.source, admission.redacted.length);
    if (admission.unknownFields > 0) deps.count('UnknownParameters', sent.source, admission.unknownFields);
  }
}

/** The record under the partition key of the profile that it folds into; under one of its own where there is none. */
export function keyed(record: StreamRecord, request: Request, position: number): { key: string; record: StreamRecord } {
  return { key: partitionKey(record) ?? `${request.requestId}.${position}`, record };
}

function partitionKey(record: StreamRecord): string | undefined {
  if (record.kind === 'event') return profileOf(record);
  if (record.kind === 'link') return record.device_id;
  return record.kind === 'consent' ? record.subject : undefined;
}
