import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Report } from '../report.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Most tests take milliseconds; those of the event source mapping wait for windows of a second. */
const TESTS_WITHIN_MS = 120_000;

/** The last lines name the test that failed and the line. */
const TAIL_CHARACTERS = 4_000;

/** Runs the extension's own tests: what is proven on the emulator rests on them. */
export async function proveExtension(report: Report, python: string): Promise<void> {
  const check = 'the tests of conformance/extension';
  try {
    const { stderr } = await promisify(execFile)(
      python,
      ['-m', 'unittest', 'discover', '--start-directory', 'extension', '--top-level-directory', '.'],
      {
        cwd: join(ROOT, 'conformance'),
        env: {
          PATH: [join(ROOT, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
          PYTHONDONTWRITEBYTECODE: '1',
          MINISTACK_REGION: 'eu-central-1',
        },
        timeout: TESTS_WITHIN_MS,
      },
    );
    report.ok(check, /Ran \d+ tests/.exec(stderr)?.[0]);
  } catch (error) {
    const { stderr = String(error) } = error as { stderr?: string };
    report.fail(check, stderr.trimEnd().slice(-TAIL_CHARACTERS));
  }
}
