import { describe, expect, it } from '@jest/globals';
import { parseQuery, parseSegment } from '../../domain/sql-file.ts';

const HEADER = {
  'name.de': 'Treue',
  'name.en': 'Loyal',
  'description.de': 'Kauft oft: mehr als dreimal.',
  'description.en': 'Buys often: more than three times.',
  purpose: 'profile',
  lifetime: '30 days',
};
const file = (header: Record<string, string>, sql = 'SELECT profile_id FROM profile_events') =>
  `${Object.entries(header)
    .map(([key, value]) => `-- ${key}: ${value}`)
    .join('\n')}\n\n${sql}\n`;

describe('parseSegment', () => {
  it('reads the header, names the segment after its file and keeps the statement alone', () => {
    const sql = 'SELECT profile_id FROM profile_events WHERE occurred_at > ? AND occurred_at < ?';
    const text = file({ ...HEADER, destinations: 'crm, ads', parameters: 'as_of, as_of' }, `-- why?\n${sql}`);
    expect(parseSegment('segments/loyal.sql', text)).toEqual({
      id: 'loyal',
      file: 'segments/loyal.sql',
      name: { de: 'Treue', en: 'Loyal' },
      description: { de: 'Kauft oft: mehr als dreimal.', en: 'Buys often: more than three times.' },
      purpose: 'profile',
      refreshSeconds: 0,
      lifetimeDays: 30,
      destinations: ['crm', 'ads'],
      parameters: ['as_of', 'as_of'],
      lines: {
        ...{ 'name.de': 1, 'name.en': 2, 'description.de': 3, 'description.en': 4, purpose: 5, lifetime: 6 },
        ...{ destinations: 7, parameters: 8, sql: 11 },
      },
      sql,
    });
  });

  it.each([
    ['every run', 0],
    ['30 minutes', 1800],
    ['1 hour', 3600],
    ['2 days', 172_800],
  ])('reads how often it is built: %s', (refresh, seconds) => {
    expect(parseSegment('segments/loyal.sql', file({ ...HEADER, refresh })).refreshSeconds).toBe(seconds);
  });

  it('reads which special category a segment declares, and refuses one that there is not', () => {
    const declared = (category: string) => file({ ...HEADER, 'special.category': category });
    expect(parseSegment('segments/loyal.sql', declared('health')).specialCategory).toBe('health');
    expect(parseSegment('segments/loyal.sql', file(HEADER))).not.toHaveProperty('specialCategory');
    expect(() => parseSegment('segments/loyal.sql', declared('mood'))).toThrow(/loyal\.sql:7: special\.category:/);
  });

  const refused = (text: string, name = 'segments/loyal.sql') => {
    try {
      parseSegment(name, text);
    } catch (error) {
      return (error as Error).message.split('\n');
    }
    return [];
  };
  const without = (key: string) => Object.fromEntries(Object.entries(HEADER).filter(([name]) => name !== key));

  it.each([
    [
      'a missing key',
      file(without('name.en')),
      'segments/loyal.sql:1: name.en: is missing; write it, such as "-- name.en: Cart abandoners"',
    ],
    ['an unknown key', file({ ...HEADER, owner: 'x' }), 'segments/loyal.sql:7: owner: is not a key of this header'],
    ['an empty text', file({ ...HEADER, 'name.de': '' }), 'segments/loyal.sql:1: name.de: must not be empty'],
    [
      'a lifetime',
      file({ ...HEADER, lifetime: '4 weeks' }),
      'segments/loyal.sql:6: lifetime: must be a number of days, such as "30 days"',
    ],
    ['a line of another form', `-- hello\n${file(HEADER)}`, 'segments/loyal.sql:1: a header line is "-- key: value"'],
    ['a key twice', `-- purpose: profile\n${file(HEADER)}`, 'segments/loyal.sql:6: purpose: appears twice'],
    [
      'a parameter of the plan',
      file({ ...HEADER, parameters: 'ingest_window_days' }, 'SELECT profile_id FROM t WHERE a = ?'),
      'segments/loyal.sql:7: parameters: must be as_of or quiet_seconds for each "?", in the order of the "?"',
    ],
    [
      'a placeholder without a name',
      file(HEADER, "SELECT profile_id FROM t WHERE a = ? AND b = '?'"),
      'segments/loyal.sql:1: parameters: must name one value for each "?"; there are 1 "?" and 0 names',
    ],
    [
      'another statement',
      file(HEADER, 'DELETE FROM events'),
      'segments/loyal.sql:8: a segment is one SELECT of profile_id',
    ],
    [
      'another column',
      file(HEADER, 'SELECT device_id FROM events'),
      'segments/loyal.sql:8: a segment selects one column, profile_id; profile_events, profile_features have it',
    ],
    [
      'a refresh',
      file({ ...HEADER, refresh: 'daily' }),
      'segments/loyal.sql:7: refresh: must be "every run", or how old the audience may get, such as "1 hour" or "2 days"',
    ],
    [
      'a refresh that is longer than the lifetime',
      file({ ...HEADER, refresh: '31 days' }),
      'segments/loyal.sql:7: refresh: must be shorter than the lifetime, or the audience ends in between',
    ],
  ])('refuses %s with file, line, key and rule', (_, text, message) => {
    expect(refused(text)).toEqual([message]);
  });

  it('refuses a purpose that does not exist, and a file whose name is no id', () => {
    expect(refused(file({ ...HEADER, purpose: 'fun' }))[0]).toMatch(/^segments\/loyal.sql:5: purpose: must be one of/);
    expect(refused(file(HEADER), 'segments/Loyal ones.sql')[0]).toMatch(/named by its id/);
  });
});

describe('parseQuery', () => {
  it('says on which line of the file the subset is left', () => {
    expect(() => parseQuery('features.sql', '-- parameters:\n\nSELECT a,\n  now()\nFROM t')).toThrow(
      'features.sql:4: now: SQL never asks for the time',
    );
  });
});
