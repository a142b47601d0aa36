import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { seeded } from '../../bench/random.ts';
import { differences } from '../../conformance/tcf/compare-facts.ts';
import { encodedStrings } from '../../conformance/tcf/encoded-strings.ts';
import { BARE, writeTcString, writtenStrings } from '../../conformance/tcf/written-strings.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('decodeTcString beside the oracle', () => {
  it('agrees in every fact of 3,000 strings; npm run tcf-differential compares 100,000', () => {
    // As a process of its own: in jest's realm the oracle takes ten times as long.
    const said = execFileSync(
      process.execPath,
      ['conformance/tcf-differential.ts', '--count', '3000', '--seed', '20261124'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect(said).toMatch(/^seed 20261124: 3000 strings of \d{3} characters, 0 differ\n$/);
  });

  it('is told where one reads what the other refuses, and where neither reads', () => {
    // The oracle knows no CMP below 2; the decoder wants a vendor list.
    expect(differences(writeTcString({ ...BARE, cmpId: 1 }))).toEqual(['the decoder reads, the oracle refuses']);
    expect(differences(writeTcString({ ...BARE, vendorListVersion: 0 }))).toEqual([
      'the decoder refuses (vendor_list_zero), the oracle reads',
    ]);
    expect(differences('?')).toEqual([]);
  });

  it.each([
    ['the oracle wrote', encodedStrings],
    ['only others write', writtenStrings],
  ])('meets every segment, short and long, in strings that %s', (_who, make) => {
    const strings = make(seeded(1), 60);
    for (const type of ['I-P', 'Q-X', 'Y-f']) expect(strings.join(' ')).toMatch(new RegExp(`\\.[${type}]`));
    const lengths = strings.map(({ length }) => length);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeGreaterThan(500);
  });
});
