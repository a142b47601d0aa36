import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { proveDeploy } from './deploy/deploy.ts';
import { findJava, MINIMUM_JAVA } from './engines/java.ts';
import { pythonMissing } from './engines/python.ts';
import { proveIam } from './iam/iam.ts';
import { readCalls } from './iam/recorded-call.ts';
import { recordingNode } from './iam/recording-node.ts';
import { unmetCalls } from './iam/unmet-calls.ts';
import { proveSmoke } from './prove-smoke.ts';
import { report as openReport, type Report } from './report.ts';
import { proveDeployedLake } from './sql/deployed-lake.ts';
import { proveSql } from './sql/sql.ts';
import { proveTemplates } from './templates.ts';
import { deployedStores } from './traffic/deployed-platform.ts';
import { proveTraffic } from './traffic/traffic.ts';

const USAGE = `usage: npm run conformance -- [--only deploy|sql] [--data DIR] [--work DIR]
  --only deploy  templates, a real deploy onto an emulator, traffic, rights; --only sql  the SQL on Trino
  --data DIR     where online_retail_events.csv.gz lies, else PAULA_DATA, else the SQL part generates its events
  --work DIR     where the run's files are made and kept; else a folder that goes after a success
  PAULA_SKIP_TRINO=1 skips the SQL part, which then counts as skipped and not as passed`;

const { values } = parseArgs({
  options: { only: { type: 'string' }, data: { type: 'string' }, work: { type: 'string' } },
});

const say = (line: string): void => console.log(line);

const parts = { deploy: values.only !== 'sql', sql: values.only !== 'deploy' };
const skipTrino = process.env.PAULA_SKIP_TRINO === '1';

await main();

async function main(): Promise<void> {
  if (values.only !== undefined && values.only !== 'deploy' && values.only !== 'sql') endWith(2, USAGE);
  const missing = await missingPrograms();
  if (missing.length > 0) endWith(2, `the conformance suite needs ${missing.join(' and ')}`);
  // The engines end with this process, and a signal must let it end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

  const started = Date.now();
  const work = values.work ?? mkdtempSync(join(tmpdir(), 'paula-conformance-'));
  const report = openReport(say);
  if (parts.deploy) await held(report, 'templates, deploy, traffic and rights', () => proveDeployed(report, work));
  if (parts.sql && skipTrino) report.skip('the SQL on Trino', 'PAULA_SKIP_TRINO=1');
  else if (parts.sql) await held(report, 'the SQL on Trino', () => proveSql(report, sqlOptions(work)));

  const { ok, failed, skipped } = report.counts;
  say(`\n${ok} ok, ${failed} failed, ${skipped} skipped in ${Math.round((Date.now() - started) / 1000)} s`);
  if (failed === 0 && values.work === undefined) rmSync(work, { recursive: true, force: true });
  else say(`the files of this run are in ${work}`);
  process.exit(failed === 0 ? 0 : 1);
}

async function missingPrograms(): Promise<string[]> {
  const python = parts.deploy ? pythonMissing() : undefined;
  const java = parts.sql && !skipTrino && !(await findJava()) ? `Java ${MINIMUM_JAVA} or later` : undefined;
  return [python, java].filter((program) => program !== undefined);
}

function sqlOptions(work: string): Parameters<typeof proveSql>[1] {
  const data = values.data ?? process.env.PAULA_DATA;
  return { work: join(work, 'sql'), say, ...(data !== undefined && { data }) };
}

/** The deployed stage in use, with every call of its functions recorded; then the rights of the roles against these calls. */
async function proveDeployed(report: Report, work: string): Promise<void> {
  const templates = await proveTemplates(report, { work: join(work, 'templates'), say });
  const callsFile = join(work, 'calls.ndjson');
  await proveDeploy(report, {
    work: join(work, 'deploy'),
    say,
    nodeFolder: recordingNode(join(work, 'node'), callsFile),
    inUse: async ({ ministack, calls, stage }) => {
      await proveTraffic(report, { ministack, calls, stage, work: join(work, 'local') });
      const stores = deployedStores(ministack, stage);
      await proveSmoke(report, calls, stage, stores).finally(stores.close);
      await proveIam(report, {
        templates,
        calls: {
          region: ministack.region,
          physicalIds: [stage.state.physicalIds, stage.line.physicalIds],
          recorded: [
            ...readCalls(readFileSync(callsFile, 'utf8')),
            ...unmetCalls({
              erase: stage.functionNames.erase,
              profile: stage.functionNames.profile,
              decide: stage.functionNames.decide,
              publish: stage.functionNames.publish,
              bucket: stage.bucketName,
              profiles: stage.tableNames.profiles,
              consents: stage.tableNames.consents,
              region: ministack.region,
            }),
          ],
        },
      });
      if (parts.sql && !skipTrino)
        await proveDeployedLake(report, { ministack, calls, stage, work: join(work, 'deployed-lake') });
    },
  });
}

/** What a part throws fails it and leaves the others their turn. */
async function held(report: Report, part: string, prove: () => Promise<void>): Promise<void> {
  try {
    await prove();
  } catch (error) {
    report.fail(part, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

function endWith(status: number, line: string): never {
  console.error(line);
  process.exit(status);
}
