import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The first release that Trino 476 starts on (its release notes). */
export const MINIMUM_JAVA = 24;

/** Where Debian and Eclipse Temurin's packages put their JDKs. */
const INSTALLED = '/usr/lib/jvm';

export type Java = { command: string; version: number };

const run = promisify(execFile);

/**
 * Finds a Java that is new enough: `PAULA_JAVA_HOME`, `JAVA_HOME`, the newest one under /usr/lib/jvm, then `java` on the
 * path. Returns undefined where there is none; `seen` takes what was found and is too old, for the message.
 */
export async function findJava(
  options: { minimum?: number; env?: Readonly<Record<string, string | undefined>>; installed?: string } = {},
  seen: string[] = [],
): Promise<Java | undefined> {
  const { minimum = MINIMUM_JAVA, env = process.env, installed = INSTALLED } = options;
  const named = [env.PAULA_JAVA_HOME, env.JAVA_HOME].flatMap((home) => (home ? [join(home, 'bin', 'java')] : []));
  for (const command of [...named, ...(await newestFirst(installed)), 'java']) {
    const version = await javaVersion(command, env);
    if (version === undefined) continue;
    if (version >= minimum) return { command, version };
    seen.push(`${command} is Java ${version}`);
  }
  return undefined;
}

/** The feature release of a Java, 25 of 25.0.1; undefined where the command is no Java. */
export async function javaVersion(
  command: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<number | undefined> {
  try {
    const { stderr, stdout } = await run(command, ['-version'], { env });
    // Up to Java 8 the version began with "1.".
    const [, release] = /version "(?:1\.)?(\d+)/.exec(stderr + stdout) ?? [];
    return release === undefined ? undefined : Number(release);
  } catch {
    return undefined;
  }
}

async function newestFirst(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const commands = readdirSync(folder)
    .map((name) => join(folder, name, 'bin', 'java'))
    .filter((command) => existsSync(command));
  const versions = await Promise.all(commands.map(async (command) => (await javaVersion(command)) ?? 0));
  return commands
    .map((command, i) => ({ command, version: versions[i] ?? 0 }))
    .sort((a, b) => b.version - a.version)
    .map(({ command }) => command);
}
