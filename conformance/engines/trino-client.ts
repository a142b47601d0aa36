export type TrinoColumn = { name: string; type: string };

/** Of the many figures that Trino gives with a result, the ones that are used. Bytes and milliseconds. */
export type TrinoStats = { physicalInputBytes: number; processedRows: number; elapsedTimeMillis: number };

export type TrinoResult = {
  /** By which `bytesRead` finds the query. */
  id: string;
  columns: TrinoColumn[];
  /** As JSON has them: decimals, dates and times are texts, a map is an object, NULL is null. */
  rows: unknown[][];
  stats: TrinoStats;
};

/** A statement that Trino refused or broke off. */
export class TrinoError extends Error {
  override readonly name = 'TrinoError';
  /** Such as `COLUMN_NOT_FOUND`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

type Answer = {
  id: string;
  nextUri?: string;
  columns?: TrinoColumn[];
  data?: unknown[][];
  stats: TrinoStats;
  error?: { errorName: string; message: string };
};

export type TrinoClient = ReturnType<typeof trinoClient>;

/** Talks to a Trino server by its client protocol: a statement is posted, its rows are fetched page by page. */
export function trinoClient(url: string, session: { catalog: string; schema: string; user: string }) {
  const headers = {
    'X-Trino-User': session.user,
    'X-Trino-Catalog': session.catalog,
    'X-Trino-Schema': session.schema,
    'X-Trino-Time-Zone': 'UTC',
    // Without it timestamps come back cut to milliseconds.
    'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
  };

  return {
    /** Runs one statement to its end. Throws a `TrinoError` where it fails. */
    async query(sql: string): Promise<TrinoResult> {
      let answer = await json<Answer>(`${url}/v1/statement`, { method: 'POST', headers, body: sql });
      let columns: TrinoColumn[] = [];
      const rows: unknown[][] = [];
      while (true) {
        if (answer.error) throw new TrinoError(answer.error.errorName, answer.error.message);
        if (answer.columns) columns = answer.columns.map(({ name, type }) => ({ name, type }));
        for (const row of answer.data ?? []) rows.push(row);
        if (answer.nextUri === undefined) {
          const { physicalInputBytes, processedRows, elapsedTimeMillis } = answer.stats;
          return { id: answer.id, columns, rows, stats: { physicalInputBytes, processedRows, elapsedTimeMillis } };
        }
        answer = await json<Answer>(answer.nextUri, { headers });
      }
    },

    /** Bytes that a finished query read from the files of each table, by the table's name. */
    async bytesRead(id: string): Promise<Map<string, number>> {
      return bytesByTable(await json<QueryInfo>(`${url}/v1/query/${id}`, { headers }));
    },
  };
}

/** A stage of a query as `/v1/query/ID` tells it; sizes are texts such as `1085B`. */
type Stage = {
  stageStats: {
    operatorSummaries: readonly {
      operatorType: string;
      planNodeId: string;
      /** The scan that a fused operator reads from. */
      sourceId?: string;
      physicalInputDataSize: string;
    }[];
  };
  subStages: readonly Stage[];
};

export type QueryInfo = {
  inputs: readonly { schema: string; table: string; planNodeId: string }[];
  /** A statement that only changes the catalogue has none. */
  outputStage?: Stage;
};

/** Adds up what the scans of each table read. */
export function bytesByTable({ inputs, outputStage }: QueryInfo): Map<string, number> {
  const tableOf = new Map(inputs.map(({ planNodeId, table }) => [planNodeId, table]));
  const bytes = new Map<string, number>();
  const visit = (stage: Stage): void => {
    for (const operator of stage.stageStats.operatorSummaries) {
      const table = tableOf.get(operator.sourceId ?? operator.planNodeId);
      if (table === undefined || !operator.operatorType.includes('Scan')) continue;
      bytes.set(table, (bytes.get(table) ?? 0) + Number.parseInt(operator.physicalInputDataSize, 10));
    }
    for (const below of stage.subStages) visit(below);
  };
  if (outputStage) visit(outputStage);
  return bytes;
}

async function json<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`Trino answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return (await response.json()) as T;
}
