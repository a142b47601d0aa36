import { expect, it } from '@jest/globals';
import { EVENT_RING, MAX_PURCHASES } from '../../../domain/profile.ts';
import { readSegmentMessage } from '../../../domain/segment-message.ts';
import { sampleMessages } from '../../../local/kill-test/sample-messages.ts';

it('generates a shop: consent first, orders, refunds of them, and buyers whose purchases outgrow the profile item', () => {
  const messages = [...sampleMessages(1_500, 1)] as {
    type: string;
    event?: string;
    messageId: string;
    userId: string;
    timestamp: string;
    properties?: { order_id?: string; products?: { product_id: string }[] };
  }[];
  expect(messages).toHaveLength(1_500);
  expect([...sampleMessages(1_500, 1)]).toEqual(messages);
  expect([...sampleMessages(1_500, 2)]).not.toEqual(messages);
  expect(messages.every((message) => 'message' in readSegmentMessage(structuredClone(message)))).toBe(true);
  expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(1_500);

  const orders = new Set<string>();
  let largest = 0;
  for (const own of Map.groupBy(messages, ({ userId }) => userId).values()) {
    expect(own[0]?.type).toBe('identify');
    expect(own.length).toBeLessThanOrEqual(EVENT_RING);
    const products = new Set<string>();
    for (const { event, properties } of own) {
      if (event === 'Order Refunded') expect(orders).toContain(properties?.order_id);
      if (event !== 'Order Completed') continue;
      orders.add(properties?.order_id ?? '');
      for (const { product_id } of properties?.products ?? []) products.add(product_id);
    }
    largest = Math.max(largest, products.size);
  }
  expect(largest).toBeGreaterThan(MAX_PURCHASES);
  expect(messages.filter(({ event }) => event === 'Order Refunded').length).toBeGreaterThan(50);
  const times = messages.map(({ timestamp }) => timestamp);
  expect(times.toSorted()).toEqual(times);
});
