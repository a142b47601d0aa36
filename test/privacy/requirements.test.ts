import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/privacy.md'), 'utf8');

/** The sections of R1 to R21, each with the tests that it names. */
const sections = page
  .split(/^## (?=R\d+ )/m)
  .slice(1)
  .map((section) => ({
    name: /^R\d+/.exec(section)?.[0] ?? '',
    text: section,
    tests: [...section.matchAll(/^- `(test\/[\w./-]+\.test\.ts)`(?:: (.+))?$/gm)].map(([, path = '', title]) => ({
      path,
      title,
    })),
  }));

/** A title as it can stand in a source, in any of the three quotes. */
const isTitled = (source: string, title: string): boolean =>
  [`'${title.replaceAll("'", "\\'")}'`, `"${title}"`, `\`${title}\``].some((quoted) => source.includes(quoted));

describe('docs/privacy.md', () => {
  it('has each requirement once, with its state and at least one test', () => {
    expect(sections.map(({ name }) => name)).toEqual(Array.from({ length: 21 }, (_, i) => `R${i + 1}`));
    for (const { name, text, tests } of sections) {
      expect([name, /\. (Shown|_Partial_)\./.test(text)]).toEqual([name, true]);
      expect([name, tests.length > 0]).toEqual([name, true]);
    }
  });

  it('says of what is partial what is missing', () => {
    for (const { name, text } of sections)
      if (text.includes('_Partial_')) expect([name, /_Partial_\. \S/.test(text)]).toEqual([name, true]);
  });

  it('names only tests that exist, by their titles', () => {
    const missing = sections.flatMap(({ name, tests }) =>
      tests.flatMap(({ path, title }) => {
        if (!existsSync(join(ROOT, path))) return [`${name}: ${path}`];
        const found = title === undefined || isTitled(readFileSync(join(ROOT, path), 'utf8'), title);
        return found ? [] : [`${name}: ${path}: ${title}`];
      }),
    );
    expect(missing).toEqual([]);
  });
});
