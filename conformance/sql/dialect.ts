import { type TrinoClient, TrinoError } from '../engines/trino-client.ts';
import type { Report } from '../report.ts';
import { DIALECT_CASES } from './dialect-cases.ts';

const PLACE = 'conformance/sql/dialect-cases.ts';

/** Asks Trino for every answer that DuckDB's dialect is held to. */
export async function proveDialect(report: Report, trino: TrinoClient): Promise<void> {
  for (const [about, cases] of Object.entries(DIALECT_CASES)) {
    const answers = await answersOf(
      cases.map(([expression]) => expression),
      trino,
    );
    let same = 0;
    for (const [i, [expression, expected]] of cases.entries()) {
      const found = answers[i];
      if (plain(found) === plain(expected)) same++;
      else report.fail(`${expression} is ${plain(expected)}, and on Trino ${plain(found)}`, PLACE);
    }
    report.ok(about, `${same} of ${cases.length} expressions`);
  }
}

/** All in one query; one after the other where Trino refuses one of them. */
async function answersOf(expressions: readonly string[], trino: TrinoClient): Promise<readonly unknown[]> {
  try {
    return (await trino.query(`SELECT ${expressions.join(', ')}`)).rows[0] ?? [];
  } catch (error) {
    if (!(error instanceof TrinoError)) throw error;
    const [first, ...more] = expressions;
    if (more.length === 0) return [error.message];
    return [...(await answersOf([first as string], trino)), ...(await answersOf(more, trino))];
  }
}

/** 64-bit integers are texts to DuckDB, and Trino writes the zeros of a time's fraction. */
const plain = (answer: unknown): string =>
  JSON.stringify(
    typeof answer === 'number'
      ? String(answer)
      : typeof answer === 'string'
        ? answer.replace(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d*?[1-9])?)\.?0*$/, '$1')
        : answer,
  );
