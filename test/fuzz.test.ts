import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { conditionsOf } from '../local/fuzz/report.ts';
import { fuzz } from '../local/fuzz/run.ts';
import { startPlatform } from '../local/platform.ts';

// A start of a platform, on a machine that may be busy.
jest.setTimeout(120_000);

/** A small run of `npm run fuzz`; any other seed does as well. */
const RUN = { requests: 600, http: 100, seed: 20_261_124 };

it('answers whatever it is sent: no 5xx, nothing unhandled, to every pixel its GIF or the refusal of the gateway', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'paula-fuzz-'));
  const platform = await startPlatform({ port: 0, stateDir, planEvery: 'off' });
  try {
    const report = await fuzz(platform, { ...RUN, stateDir });
    expect(report.faults).toEqual([]);
    expect(conditionsOf(report, RUN).filter(({ holds }) => !holds)).toEqual([]);
  } finally {
    await platform.stop();
    rmSync(stateDir, { recursive: true });
  }
});
