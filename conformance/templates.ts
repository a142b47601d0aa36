import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder } from './engines/cache.ts';
import { virtualEnvironment } from './engines/python.ts';
import type { Report } from './report.ts';
import { synthesiseUnbundled } from './unbundled-assembly.ts';

const REQUIREMENTS = join(import.meta.dirname, 'cfn-lint-requirements.txt');
const VERSION = '1.58.0';

/** One of each partition, and one of each kind of stage: one that goes with its stacks, and one that keeps its data. */
const ASSEMBLIES = [
  { stageName: 'dev', region: 'eu-central-1', partition: 'aws' },
  { stageName: 'prod', region: 'eusc-de-east-1', partition: 'aws-eusc' },
] as const;

/** The package's own command, without its script: that names the place where the environment was made, and it has moved. */
const ENTRY = 'import sys; from cfnlint.runner import main; sys.exit(main())';

/** Every finding comes with its rule's description. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export type TemplatesOptions = {
  /** A folder of this run; the assemblies go there. */
  work: string;
  say: (line: string) => void;
};

/**
 * Synthesises the platform for both partitions, lets cfn-lint judge the templates, and answers with the folders of the
 * assemblies. An error fails; a warning is listed. cfn-lint knows the sovereign region, and holds every resource type that
 * it has a schema of for present there: that a service exists in it is not shown.
 */
export async function proveTemplates(report: Report, { work, say }: TemplatesOptions): Promise<string[]> {
  mkdirSync(work, { recursive: true });
  const python = await virtualEnvironment(cacheFolder(`cfn-lint-${VERSION}`), REQUIREMENTS, say);
  const folders: string[] = [];
  for (const { stageName, region, partition } of ASSEMBLIES) {
    report.step(`templates of ${stageName} in ${region}`);
    const folder = join(work, `${stageName}-${region}`);
    await synthesiseUnbundled(folder, { stage: stageName, region });
    folders.push(folder);
    const templates = readdirSync(folder).filter((name) => name.endsWith('.template.json'));
    const findings = await lint(
      python,
      region,
      templates.map((name) => join(folder, name)),
    );
    const [errors, others] = [findings.filter(isError), findings.filter((finding) => !isError(finding))];
    for (const finding of errors) report.fail(`cfn-lint ${said(finding)}`, placeOf(finding));
    if (errors.length === 0)
      report.ok(`cfn-lint ${VERSION} has no error in partition ${partition}`, `${templates.length} templates`);
    for (const [warning, places] of grouped(others)) say(`         warning, ${places} times: ${warning}`);
  }
  return folders;
}

/** A finding as cfn-lint prints it in JSON. */
export type LintFinding = {
  Filename: string;
  Level: string;
  Message: string;
  Rule: { Id: string; ShortDescription: string };
  Location: { Path: readonly (string | number)[] | null; Start: { LineNumber: number } };
};

/** What cfn-lint finds in templates for a region. Its exit code has a bit for each level of finding, so none is a failure. */
export function lint(python: string, region: string, templates: readonly string[]): Promise<LintFinding[]> {
  const args = ['-c', ENTRY, '--regions', region, '--format', 'json', '--', ...templates];
  return new Promise((resolve, reject) => {
    execFile(python, args, { maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as LintFinding[]);
      } catch {
        reject(new Error(`cfn-lint did not answer: ${stderr.trim() || error?.message}`));
      }
    });
  });
}

const isError = ({ Level }: LintFinding): boolean => Level === 'Error';

const said = ({ Rule, Message }: LintFinding): string => `${Rule.Id}: ${Message}`;

const placeOf = ({ Filename, Location }: LintFinding): string =>
  `${basename(Filename)}:${Location.Start.LineNumber} ${Location.Path?.join('/') ?? ''}`;

/** How often each rule warns, and of what. */
function grouped(findings: readonly LintFinding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { Rule } of findings) {
    const warning = `${Rule.Id} ${Rule.ShortDescription}`;
    counts.set(warning, (counts.get(warning) ?? 0) + 1);
  }
  return counts;
}
