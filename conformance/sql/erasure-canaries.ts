import { createHash } from 'node:crypto';
import type { Keys } from '../../domain/keys.ts';
import type { EventRecord, StreamRecord } from '../../domain/stream-record.ts';
import { hashes, randomId } from '../../lambdas/adapters/hashes.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';
import { newPersonId } from '../../lambdas/collect/person.ts';
import { type Needle, needleOf } from '../../local/erasure-proof/needles.ts';
import { type Canary, makeCanary, needlesOf } from '../../local/erasure-proof/person.ts';
import type { Batch } from './generated-records.ts';

const HOUR_MS = 3_600_000;

/** Iceberg's manifests hold the lowest and highest text of a column, cut to so many characters. */
export const BOUND_CHARS = 16;

/** As many random ids as are nearly sure to have one below all others. */
const TRIES = 5_000;

/** A made-up customer with the ids that the lake knows of them. */
export type LakeCanary = { canary: Canary; cookie: string; device: string; person: string };

/** A customer whose ids are the first of all in their order where `first` is set: then they are the bounds in manifests, too. */
export function lakeCanary(keys: Keys, first: boolean): LakeCanary {
  const tries = Array.from({ length: first ? TRIES : 1 }, () => ({ canary: makeCanary(), cookie: randomId() }));
  const lowest = <T>(of: (one: (typeof tries)[number]) => T): (typeof tries)[number] =>
    tries.reduce((low, one) => (of(one) < of(low) ? one : low));
  const { cookie } = lowest((one) => deviceIdOf(one.cookie, hashes));
  const { canary } = lowest((one) => newPersonId(one.canary.customer, { keys, hmac: hashes.hmac }));
  const person = newPersonId(canary.customer, { keys, hmac: hashes.hmac });
  return { canary, cookie, device: deviceIdOf(cookie, hashes), person };
}

/** What must not be found of a customer. */
export const lakeNeedles = ({ canary, cookie }: LakeCanary, keys: Keys): Needle[] => needlesOf(canary, cookie, keys);

/** As much of a customer's ids as a manifest keeps of a column's lowest and highest value. */
export const boundNeedles = ({ device, person }: LakeCanary): Needle[] => [
  needleOf('device id as a bound', device.slice(0, BOUND_CHARS)),
  needleOf('person key as a bound', person.slice(0, BOUND_CHARS)),
];

/**
 * What a customer leaves in the lake up to a time (milliseconds): events of a device and of a person, a link between the
 * two, and receipts of both. One event holds what the door keeps out, as if it had overlooked it. `like` are batches with a
 * receipt in them, of which the customer's are copies.
 */
export function canaryRecords({ canary, cookie, device, person }: LakeCanary, like: readonly Batch[], until: number) {
  const event = (hoursBefore: number, rest: Partial<EventRecord> & Pick<EventRecord, 'event'>): EventRecord => ({
    kind: 'event',
    schema_version: 1,
    event_id: randomId(),
    source: 'web',
    site: 'shop',
    occurred_at: until - hoursBefore * HOUR_MS,
    received_at: until - hoursBefore * HOUR_MS,
    is_bot: false,
    purposes: ['storage', 'measurement', 'profile'],
    basis: 'consent',
    ...rest,
  });
  const receipt = like.flatMap(({ records }) => records).find(({ kind }) => kind === 'consent');
  if (receipt?.kind !== 'consent') throw new Error('the generated records hold no receipt');
  const given_at = until - 31 * HOUR_MS;
  const receiptOf = (subject: string): StreamRecord => {
    const { prior_receipt_id: _, ...rest } = receipt;
    return {
      ...rest,
      subject,
      receipt_id: randomId(),
      withdrawn: [],
      given_at,
      expires_at: given_at + 395 * 24 * HOUR_MS,
    };
  };
  const [ofDevice = '', ofPerson = '', ofBoth = ''] = canary.orders;
  const order = { event: 'Order Completed', value: '9.9', currency: 'EUR', quantity: 1, product_id: 'product-1' };
  return [
    receiptOf(device),
    receiptOf(person),
    { kind: 'link', device_id: device, person_id: person, since: given_at, receipt_id: randomId() },
    event(30, { ...order, order_id: ofDevice, device_id: device }),
    event(29, { ...order, order_id: ofPerson, person_id: person, source: 'shop_backend' }),
    event(28, { ...order, order_id: ofBoth, device_id: device, properties: overlooked(canary, cookie) }),
    // After the orders: it is the last thing that they did, so they are in the audience of those who left a cart.
    event(20, { event: 'Product Added', product_id: 'product-1', device_id: device }),
  ] satisfies StreamRecord[];
}

function overlooked({ customer, email }: Canary, cookie: string): Record<string, string> {
  const digests = ['md5', 'sha1', 'sha256'].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(email).digest();
    return [
      [`${algorithm}_hex`, digest.toString('hex')],
      [`${algorithm}_base64`, digest.toString('base64url')],
    ];
  });
  return Object.fromEntries([['email', email], ['customer', customer], ['cookie', cookie], ...digests]);
}
