import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { faultPoints } from '../../local/fault-point.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paula-fault-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const MODULE = JSON.stringify(new URL('../../local/fault-point.ts', import.meta.url).href);

it('kills the process the Nth time that its point is passed, and leaves a line of it', () => {
  const script = `
    const { faultPoints } = await import(${MODULE});
    const pass = faultPoints('land.checkpoint:3', ${JSON.stringify(folder)});
    for (let i = 1; i < 9; i++) { pass('profile.checkpoint'); console.log(i); pass('land.checkpoint'); }`;
  const { signal, stdout, pid } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect([signal, stdout]).toEqual(['SIGKILL', '1\n2\n3\n']);
  expect(readFileSync(join(folder, 'faults.log'), 'utf8')).toMatch(
    new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z land\\.checkpoint:3 pid ${pid}\\n$`),
  );
});

it('does nothing where none is set, and refuses one that it cannot read', () => {
  faultPoints(undefined, folder)('door.answer');
  faultPoints('', folder)('door.answer');
  expect(existsSync(join(folder, 'faults.log'))).toBe(false);
  for (const spec of ['door.answer', 'door.answer:0', ':3', 'door.answer:x'])
    expect(() => faultPoints(spec, folder)).toThrow('must be POINT:N');
});
