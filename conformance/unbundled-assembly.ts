import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..');

/**
 * Synthesises a stage into a folder by running the app as the `cdk` command does, but without bundling: that takes most of
 * the time, and of a bundle a template has the name only. Rejects with what the app has printed where it fails.
 */
export async function synthesiseUnbundled(folder: string, given: { stage: string; region: string }): Promise<void> {
  const { app, context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as {
    app: string;
    context: Record<string, unknown>;
  };
  const [, ...args] = app.split(' ');
  const all = { ...context, ...given, 'aws:cdk:enable-path-metadata': true, 'aws:cdk:bundling-stacks': [] };
  await promisify(execFile)(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(all) },
  });
}
