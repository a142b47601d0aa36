import { formatMoney, parseMoney } from '../../domain/money.ts';
import type { ReplayMessage } from '../replay/message.ts';
import type { StateRows } from './state-rows.ts';

/** What a state says of orders: persons, orders, returns, and the net amount by currency. */
export type Figures = { persons: number; orders: number; returns: number; net: Readonly<Record<string, string>> };

/** Adds up the messages that are to be sent, without the platform: what must come out. */
export class ExpectedFigures {
  readonly #persons = new Set<string>();
  readonly #net = new Map<string, bigint>();
  #orders = 0;
  #returns = 0;

  add({ person, body }: ReplayMessage): void {
    this.#persons.add(person);
    const isOrder = body.event === 'Order Completed';
    if (!isOrder && body.event !== 'Order Refunded') return;
    if (isOrder) this.#orders += 1;
    else this.#returns += 1;
    const { currency, products } = body.properties as {
      currency: string;
      products: { quantity: number; price: string }[];
    };
    const lines = products.map(({ quantity, price }) => BigInt(Math.abs(quantity)) * (parseMoney(price) ?? 0n));
    const amount = lines.reduce((sum, line) => sum + line, 0n);
    this.#net.set(currency, (this.#net.get(currency) ?? 0n) + (isOrder ? amount : -amount));
  }

  figures(): Figures {
    return { persons: this.#persons.size, orders: this.#orders, returns: this.#returns, net: textsOf(this.#net) };
  }
}

/** As the lake's events have it. */
export function lakeFigures(state: StateRows): Figures {
  const events = state.get('lake events') ?? [];
  const net = new Map<string, bigint>();
  for (const { currency, value } of events) {
    if (typeof currency !== 'string' || typeof value !== 'string') continue;
    net.set(currency, (net.get(currency) ?? 0n) + (parseMoney(value) ?? 0n));
  }
  return {
    persons: new Set(events.map(({ person_id }) => person_id)).size,
    orders: events.filter(({ event }) => event === 'Order Completed').length,
    returns: events.filter(({ event }) => event === 'Order Refunded').length,
    net: textsOf(net),
  };
}

/** As the totals of the profiles have it. */
export function profileFigures(state: StateRows): Figures {
  const profiles = state.get('paula-profiles/profile') ?? [];
  const totals = profiles.flatMap(
    (profile) => profile.totals as [currency: string, { orders: number; refunds: number; revenue: string }][],
  );
  const net = new Map<string, bigint>();
  for (const [currency, { revenue }] of totals) net.set(currency, (net.get(currency) ?? 0n) + BigInt(revenue));
  return {
    persons: profiles.length,
    orders: totals.reduce((sum, [, { orders }]) => sum + orders, 0),
    returns: totals.reduce((sum, [, { refunds }]) => sum + refunds, 0),
    net: textsOf(net),
  };
}

const textsOf = (net: ReadonlyMap<string, bigint>): Record<string, string> =>
  Object.fromEntries([...net].sort().map(([currency, units]) => [currency, formatMoney(units)]));
