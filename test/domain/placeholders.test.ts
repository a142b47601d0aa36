import { describe, expect, it } from '@jest/globals';
import { bindPlaceholders, splitAtPlaceholders } from '../../domain/placeholders.ts';

describe('placeholders', () => {
  it('are the question marks outside literals, quoted names and comments', () => {
    const sql = `SELECT '?', 'it''s ?', "a?" -- ?\nFROM t /* ? \n ? */ WHERE a = ? AND b > -?`;
    expect(splitAtPlaceholders(sql)).toEqual([sql.slice(0, sql.indexOf('= ?') + 2), ' AND b > -', '']);
    expect(bindPlaceholders('a = ? AND b = ?', ["'?'", '8'])).toBe("a = '?' AND b = 8");
  });

  it('must be as many as the values', () => {
    expect(() => bindPlaceholders('a = ?', [])).toThrow('1 placeholders and got 0 values');
    expect(() => bindPlaceholders('a', ['1'])).toThrow('0 placeholders and got 1 values');
  });
});
