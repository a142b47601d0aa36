import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../domain/config.ts';
import { PURPOSES } from '../../domain/purposes.ts';
import { stores } from '../../domain/stores.ts';
import { DOCUMENTS_FOLDER, privacyDocuments } from '../../local/docs-privacy/documents.ts';
import { staleFiles } from '../../local/docs-privacy/stale.ts';
import config from '../../paula.config.ts';

const ROOT = join(import.meta.dirname, '../..');
const documents = privacyDocuments(config);
const texts = [...documents].filter(([name]) => name.endsWith('.md'));

const withDestination = (destination: Record<string, unknown>) =>
  parseConfig({ ...structuredClone(config), destinations: { video_ads: destination } });

describe('the privacy documents', () => {
  it('are those that the configuration makes: npm run docs:privacy writes them', () =>
    expect(staleFiles(documents, join(ROOT, DOCUMENTS_FOLDER))).toEqual([]));

  it('are the same whenever they are made, and say what makes them', () => {
    expect(privacyDocuments(parseConfig(structuredClone(config)))).toEqual(documents);
    for (const text of documents.values()) expect(text).toMatch(/[Gg]enerated.*npm run docs:privacy/);
  });

  it('are called stale when one is missing or differs by a character', () => {
    const folder = mkdtempSync(join(tmpdir(), 'paula-docs-'));
    try {
      for (const [name, text] of documents) writeFileSync(join(folder, name), text);
      expect(staleFiles(documents, folder)).toEqual([]);
      writeFileSync(join(folder, 'dpia.md'), `${documents.get('dpia.md')} `);
      rmSync(join(folder, 'retention.md'));
      expect(staleFiles(documents, folder)).toEqual(['dpia.md', 'retention.md']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('hold every purpose, store and recipient: a new one makes them stale', () => {
    const record = documents.get('record-of-processing.md') ?? '';
    const retention = documents.get('retention.md') ?? '';
    for (const purpose of PURPOSES) {
      expect(record).toMatch(new RegExp(`\\| Purpose +\\| \`${purpose}\` +\\|`));
      expect(retention).toMatch(new RegExp(`\\| \`${purpose}\` +\\|`));
    }
    for (const { name } of stores(config)) expect(retention).toContain(`| ${name} `);
    const added = privacyDocuments(withDestination({ country: 'US', transferMechanism: 'scc' }));
    for (const name of ['record-of-processing.md', 'recipients-and-transfers.md', 'transparency.json']) {
      expect(added.get(name)).not.toBe(documents.get(name));
      expect(added.get(name)).toContain('video_ads');
    }
  });

  it('never list a recipient without country or transfer mechanism: the configuration does not load', () => {
    for (const destination of [{}, { country: 'US' }, { transferMechanism: 'scc' }])
      expect(() => withDestination(destination)).toThrow(/destinations\.video_ads\.(country|transferMechanism)/);
  });

  it('name only files that exist', () => {
    const paths = texts.flatMap(([, text]) =>
      [...text.matchAll(/`((?:docs|domain|lambdas|lib|local|sql|test)\/[\w./-]+)[`,]/g)].map(([, path]) => path ?? ''),
    );
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
  });

  it('leave the judgement to people: the assessment marks each place', () =>
    expect(documents.get('dpia.md')?.match(/To be judged by the data protection officer/g)).toHaveLength(4));
});

describe('the data of the transparency page', () => {
  const data = JSON.parse(documents.get('transparency.json') ?? '');

  it('has each purpose with its text in both languages, as the configuration has it', () => {
    expect(data.purposes.map(({ purpose }: { purpose: string }) => purpose)).toEqual(PURPOSES);
    for (const { purpose, version, text, legalBasis, retentionDays, fields } of data.purposes) {
      const { notice, ...terms } = config.purposes[purpose as 'storage'];
      expect({ version, text }).toEqual(notice);
      expect({ legalBasis, retentionDays }).toEqual(terms);
      for (const field of fields) expect(config.trackingPlan.fields[field]?.purposes).toContain(purpose);
    }
  });

  it('has the digest that receipts carry', () => {
    expect(data.notice).toEqual({ version: '2026-11', digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('tells of the right to object apart from everything else (Art. 21(4))', () => {
    expect(data.objection.text).toEqual({
      de: expect.stringMatching(/widersprechen/),
      en: expect.stringMatching(/object/),
    });
    expect(JSON.stringify(data.rights)).not.toMatch(/Art\. 21/);
  });

  it('says that no price depends on the profile (Art. 22)', () =>
    expect(data.automatedDecisions).toEqual({
      de: expect.stringMatching(/Preise und Verträge hängen nicht von ihm ab/),
      en: expect.stringMatching(/Prices and contracts do not depend on it/),
    }));
});
