import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ageSignal } from '../../domain/age-signal.ts';

/** 24 November 2026: who was born on 24 November 2010 turned 16 on this day. */
const NOW = Date.UTC(2026, 10, 24, 12);

describe('the age signal of a message', () => {
  it.each<Record<string, unknown>>([
    { age: 15 },
    { age: '15' },
    { age: '15 Jahre' },
    { age: '12 years old' },
    { age: 15.9 },
    { Alter: '9' },
    { 'user-age': 3 },
    { age: '13-15' },
    { age_group: '13-17' },
    { ageRange: '<16' },
    { ageRange: 'under 18' },
    { altersgruppe: 'unter 16' },
    { altersgruppe: 'U14' },
    { birthday: '2010-11-25' },
    { birthDate: '2012-03-01T00:00:00.000Z' },
    { date_of_birth: '25.11.2010' },
    { dateOfBirth: '11/25/2010' },
    { dob: '03/12/2010' },
    { DOB: '20120301' },
    { birthdate: 20120301 },
    { birthday: 1330560000 },
    { birthday: '1330560000000' },
    { birthday: '2012-03' },
    { birthday: '2010' },
    { geburtsdatum: '1. März 2012' },
    { geburtstag: '1.3.2012' },
    { birth_year: 2011 },
    { birthYear: '2010' },
    { year_of_birth: 2015 },
    { age_under_16: true },
    { ageUnder16: 'true' },
    { under_16: 1 },
    { isMinor: 'yes' },
    { minderjährig: 'ja' },
    { over16: false },
    { age: 30, birthday: '2015-01-01' },
  ])('is under 16: %j', (fields) => {
    expect(ageSignal({ traits: fields }, NOW)).toBe('under_16');
    expect(ageSignal({ properties: fields }, NOW)).toBe('under_16');
    expect(ageSignal({ context: { traits: fields } }, NOW)).toBe('under_16');
  });

  it.each<Record<string, unknown>>([
    { age: 16 },
    { age: '34' },
    { ageGroup: '18-24' },
    { age_range: '65+' },
    { age_range: '>15' },
    { birthday: '2010-11-24' },
    { birthday: '24.11.2010' },
    { dob: '03/11/2010' },
    { birthday: 0 - 86_400_000 },
    { birth_year: 2009 },
    { age_under_16: false },
    { adult: 'true' },
    { volljährig: true },
  ])('is of age: %j', (fields) => expect(ageSignal({ traits: fields }, NOW)).toBe('of_age'));

  it.each<Record<string, unknown>>([
    {},
    { age: 0 },
    { age: -3 },
    { age: 200 },
    { age: 'unknown' },
    { age: { years: 12 } },
    { age: null },
    { page: 12, message: 3, package: '12', usage: 1 },
    { age_group: 'all' },
    { age_group: '<25' },
    { age_group: '14+' },
    { birthday: '2030-01-01' },
    { birthday: '1700-01-01' },
    { birthday: 'today' },
    { birth_year: 12 },
    { under_13: false },
    { adult: false },
    { constructor: 12, toString: 3 },
  ])('is none: %j', (fields) => expect(ageSignal({ traits: fields }, NOW)).toBeUndefined());

  it('counts the lowest of all that is said', () => {
    expect(ageSignal({ traits: { age: 40 }, properties: { age_under_16: true }, context: {} }, NOW)).toBe('under_16');
    expect(ageSignal({ traits: { age: 40 }, properties: null, context: undefined }, NOW)).toBe('of_age');
    expect(ageSignal({}, NOW)).toBeUndefined();
  });

  it('turns on the 16th birthday, however the day is written', () => {
    const day = fc.date({ min: new Date('1950-01-01'), max: new Date('2026-11-23'), noInvalidDate: true });
    fc.assert(
      fc.property(day, (born) => {
        const [year, month, date] = [born.getUTCFullYear(), born.getUTCMonth() + 1, born.getUTCDate()];
        const iso = born.toISOString();
        const written: unknown[] = [
          iso,
          iso.slice(0, 10),
          iso.slice(0, 10).replaceAll('-', ''),
          Number(iso.slice(0, 10).replaceAll('-', '')),
        ];
        // Up to the twelfth, day and month can change places.
        if (date > 12) written.push(`${date}.${month}.${year}`, `${month}/${date}/${year}`);
        // Smaller numbers are read as seconds.
        if (Math.abs(born.getTime()) > 1e11) written.push(born.getTime(), String(born.getTime()));
        const expected = Date.UTC(year + 16, month - 1, date) <= NOW ? 'of_age' : 'under_16';
        for (const birthday of written)
          expect({ birthday, signal: ageSignal({ traits: { birthday } }, NOW) }).toEqual({
            birthday,
            signal: expected,
          });
      }),
    );
  });

  it('is read from any value without an exception', () => {
    const key = fc.constantFrom('age', 'birthday', 'birth_year', 'age_group', 'minor', 'dob', 'x');
    fc.assert(
      fc.property(fc.dictionary(key, fc.anything()), (fields) => {
        expect([undefined, 'under_16', 'of_age']).toContain(ageSignal({ traits: fields }, NOW));
      }),
    );
  });
});
