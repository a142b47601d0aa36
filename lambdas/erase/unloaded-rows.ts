import type { EraseDeps } from './deps.ts';

/** The rows that a run has unloaded below a prefix: JSON lines, as Athena and DuckDB write them. */
export async function* unloadedRows(
  prefix: string,
  { objects }: Pick<EraseDeps, 'objects'>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const { key } of objects.list(prefix))
    for await (const line of objects.lines(key)) if (line !== '') yield JSON.parse(line) as Record<string, unknown>;
}
