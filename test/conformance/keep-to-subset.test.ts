import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { report } from '../../conformance/report.ts';
import { proveSubset } from '../../conformance/sql/keep-to-subset.ts';

const SQL = join(import.meta.dirname, '..', '..', 'sql');
const folder = mkdtempSync(join(tmpdir(), 'paula-sql-'));
let lines: string[];

beforeEach(() => {
  lines = [];
  rmSync(folder, { recursive: true });
  cpSync(SQL, folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const prove = () =>
  proveSubset(
    report((line) => lines.push(line)),
    folder,
  );

describe('proveSubset', () => {
  it('holds every file of the platform', () => {
    expect(prove()).toBe(true);
    expect(lines).toEqual([expect.stringMatching(/^ok {7}every \.sql file: \d\d files$/)]);
  });

  it('points at a function that Trino takes, in whichever file it is, and says what to do', () => {
    writeFileSync(
      join(folder, 'views', 'drifted.sql'),
      "-- parameters:\n\nCREATE OR REPLACE VIEW drifted AS\nSELECT event_id FROM events\nWHERE any_match(purposes, p -> p = 'profile')\n",
    );
    expect(prove()).toBe(false);
    expect(lines.join('\n')).toContain(
      'FAILED   any_match() is not in the subset: it takes a lambda; CROSS JOIN UNNEST the array and filter or count its ' +
        'rows, or use contains(array, value)\n         at sql/views/drifted.sql:5',
    );
  });
});
