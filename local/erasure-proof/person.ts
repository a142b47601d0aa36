import { randomBytes } from 'node:crypto';
import type { Keys } from '../../domain/keys.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';
import { newPersonId } from '../../lambdas/collect/person.ts';
import { emailNeedles, type Needle, needleOf } from './needles.ts';

/** A made-up customer whose every id is random, so that finding one of them is no accident. */
export type Canary = { customer: string; email: string; orders: readonly string[] };

const random = (prefix: string): string => `${prefix}${randomBytes(12).toString('hex')}`;

export const makeCanary = (): Canary => {
  const email = `${random('canary.')}@mail.example`;
  return { customer: random('customer-'), email, orders: [random('order-'), random('order-'), random('order-')] };
};

/** What must not be found of a customer after the erasure. `cookie` is the browser's id cookie. */
export function needlesOf({ customer, email, orders }: Canary, cookie: string, keys: Keys): Needle[] {
  const [, , person = ''] = newPersonId(customer, { keys, hmac: hashes.hmac }).split('.');
  return [
    needleOf('cookie', cookie),
    needleOf('device id', deviceIdOf(cookie, hashes).slice(2)),
    needleOf('person key', person),
    needleOf('customer id', customer),
    ...emailNeedles('e-mail', email),
    ...orders.map((order, i) => needleOf(`order id ${i + 1}`, order)),
  ];
}
