import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { findJava, javaVersion } from '../../conformance/engines/java.ts';

const folder = mkdtempSync(join(tmpdir(), 'paula-java-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with a `bin/java` that tells a version as Java does, on standard error. */
function jdk(name: string, version: string): string {
  const home = join(folder, name);
  mkdirSync(join(home, 'bin'), { recursive: true });
  const command = join(home, 'bin', 'java');
  writeFileSync(command, `#!/bin/sh\necho 'openjdk version "${version}" 2026-01-01' >&2\n`);
  chmodSync(command, 0o755);
  return home;
}

const installed = join(folder, 'jvm');
jdk('jvm/old', '17.0.12');
const newest = jdk('jvm/new', '25.0.1');
const ahead = jdk('ahead', '26-ea');
const ancient = jdk('ancient', '1.8.0_402');
const empty = join(folder, 'none');
const env = { PATH: '/nowhere:/usr/bin:/bin' };

describe('findJava', () => {
  it('takes the newest that is installed', async () => {
    expect(await findJava({ minimum: 24, env, installed })).toEqual({
      command: join(newest, 'bin', 'java'),
      version: 25,
    });
  });

  it('prefers the one that is named for it, then JAVA_HOME', async () => {
    const homes = { ...env, JAVA_HOME: newest, PAULA_JAVA_HOME: ahead };
    expect((await findJava({ minimum: 24, env: homes, installed: empty }))?.version).toBe(26);
    expect((await findJava({ minimum: 24, env: { ...env, JAVA_HOME: newest }, installed: empty }))?.version).toBe(25);
  });

  it('passes over one that is too old, and says which', async () => {
    const seen: string[] = [];
    const homes = { ...env, JAVA_HOME: ancient };
    expect((await findJava({ minimum: 24, env: homes, installed }, seen))?.version).toBe(25);
    expect(seen).toEqual([`${join(ancient, 'bin', 'java')} is Java 8`]);
  });

  it('finds none where there is none', async () => {
    expect(await findJava({ minimum: 99, env, installed })).toBeUndefined();
    expect(await javaVersion(join(empty, 'java'))).toBeUndefined();
  });
});
