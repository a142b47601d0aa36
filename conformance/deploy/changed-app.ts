import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** What a synthesis reads. */
const SOURCES = [
  'bin',
  'lib',
  'lambdas',
  'domain',
  'sql',
  'scripts',
  'cdk.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** The stage whose configuration is changed. */
export const CHANGED_STAGE = 'dev';

/** A tracking-plan field of the brand's own with a column, which no configuration has. */
export const ADDED_FIELD = 'gift_wrap';

/** CloudWatch Logs knows it, and the stage does not have it. */
const LOG_RETENTION_DAYS = 14;

/** A name under a domain that the demo configuration's pages have; its certificate is made up, like the account. */
const HOST = {
  site: 'shop',
  name: 'c.lindenblatt.example',
  certificateArn: 'arn:aws:acm:eu-central-1:000000000000:certificate/11111111-2222-3333-4444-555555555555',
};

/** EventBridge Scheduler's finest, so that a run need not be waited for. */
const PLAN_EVERY_SECONDS = 60;

/**
 * A copy of the app with the configuration that a platform team might deploy next: other retentions, a plan that runs more
 * often, a new field with a column, a collector host. The repository's own configuration stays as it is.
 */
export function changedApp(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const source of SOURCES) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  cpSync(join(ROOT, 'paula.config.ts'), join(folder, 'original.config.ts'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(
    join(folder, 'paula.config.ts'),
    `import { defineConfig } from './domain/config.ts';
import config from './original.config.ts';

const { stages, trackingPlan, rawRetentionDays } = config;
const viewed = trackingPlan.events['Product Viewed'];
export default defineConfig({
  ...config,
  rawRetentionDays: rawRetentionDays + 1,
  stages: {
    ...stages,
    ${CHANGED_STAGE}: {
      ...stages.${CHANGED_STAGE},
      logRetentionDays: ${LOG_RETENTION_DAYS},
      planEverySeconds: ${PLAN_EVERY_SECONDS},
      hosts: { ${HOST.site}: { name: '${HOST.name}', certificateArn: '${HOST.certificateArn}' } },
    },
  },
  trackingPlan: {
    fields: {
      ...trackingPlan.fields,
      ${ADDED_FIELD}: { type: 'boolean', purposes: ['measurement'], column: true },
    },
    events: {
      ...trackingPlan.events,
      'Product Viewed': { ...viewed, fields: [...viewed.fields, '${ADDED_FIELD}'] },
    },
  },
});
`,
  );
  return folder;
}
