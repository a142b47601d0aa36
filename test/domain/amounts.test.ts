import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { settleAmounts } from '../../domain/amounts.ts';
import type { FieldValue, Issue, SentLine } from '../../domain/field-values.ts';
import { isAmount } from '../../domain/money.ts';

function settle(event: string, lines: SentLine[]): { value: FieldValue | undefined; issues: Issue[] } {
  const values = new Map<string, FieldValue>([['products', lines]]);
  const issues: Issue[] = [];
  settleAmounts(event, values, (field) => `properties.${field}`, issues);
  return { value: values.get('value'), issues };
}

describe('the sum of the lines', () => {
  it('is the value of an order that names none', () => {
    const lines = [
      { product_id: 'a', quantity: 2, price: 99_900n },
      { product_id: 'b', quantity: 1 },
    ];
    expect(settle('Order Completed', lines)).toEqual({ value: 199_800n, issues: [] });
    expect(settle('Order Refunded', lines)).toEqual({ value: -199_800n, issues: [] });
  });

  it('either fits the lake or is an issue', () => {
    const line = fc.record({
      product_id: fc.constant('a'),
      quantity: fc.integer({ min: 1, max: 2_147_483_647 }),
      price: fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
        const total = lines.reduce((sum, { quantity, price }) => sum + BigInt(quantity) * price, 0n);
        const { value, issues } = settle('Order Completed', lines);
        if (isAmount(total)) expect([value, issues]).toEqual([total, []]);
        else expect([value, issues.map(({ path }) => path)]).toEqual([undefined, ['properties.products']]);
      }),
    );
  });
});
