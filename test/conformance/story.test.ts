import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PAULAS_STORY } from '../../conformance/story/paulas-story.ts';
import { runStory, type StoryRun } from '../../conformance/story/run-story.ts';
import { type StoryPlatform, startLocalPlatform } from '../../conformance/traffic/local-platform.ts';
import { compareProfiles, type ProfileTables, profilesOf } from '../../conformance/traffic/profiles-of.ts';

// A start of the platform, a story with its waits, and the plan, on a machine that may be busy.
jest.setTimeout(180_000);

const ROOT = join(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'paula-story-'));
let platform: StoryPlatform & { stop: () => Promise<void> };
let run: StoryRun;
let tables: ProfileTables;

beforeAll(async () => {
  platform = await startLocalPlatform(work);
  run = await runStory(PAULAS_STORY, platform, Date.now());
  tables = await profilesOf(platform.stores, run);
});
afterAll(async () => {
  await platform.stop();
  rmSync(work, { recursive: true });
});

describe("Paula's story at the local door", () => {
  it('has every answer as it is told', () => {
    expect(run.faults).toEqual([]);
    expect(run.steps).toHaveLength(PAULAS_STORY.length);
  });

  it('gives a device to each browser that consented, and a second one where another person signed in', () => {
    expect([...run.devices.values()].sort()).toEqual([
      'device 2 of kiosk',
      'device of kiosk',
      'device of nina',
      'device of otto',
      'device of paula',
      'device of phone',
    ]);
  });

  it('tells everything that is stored without an id or a time of its own', () => {
    const told = JSON.stringify([...tables]);
    expect(told).not.toMatch(/"d\.[\w-]{43}"/);
    const [profile] = (tables.get('paula-profiles/profile') ?? []).filter(({ pk }) => pk === 'device of otto');
    expect(profile).toMatchObject({
      firstSeen: 'Otto orders by pixel',
      lastReceivedDay: 'the story',
      counts: [
        ['Order Completed', 1],
        ['Ad Impression', 2],
      ],
      totals: [['EUR', { orders: 1, refunds: 0, revenue: '299000' }]],
      products: [['serum-30', 8]],
    });
  });

  it('counts an order once, whatever message ids say', () => {
    const orders = (tables.get('paula-profiles/profile') ?? []).flatMap(({ totals }) => JSON.stringify(totals));
    expect(orders).toContain('[["EUR",{"orders":2,"refunds":1,"revenue":"424000"}]]');
  });

  it('finds each field in which a second run would differ', () => {
    const { items, fields, different } = compareProfiles(tables, tables);
    expect(different).toBe(0);
    expect(items).toBe([...tables.values()].flat().length);
    expect(fields).toBeGreaterThan(items);
    for (const [table, field, value] of [
      ['paula-profiles/profile', 'lastSeen', 'another step'],
      ['paula-profiles/link', 'revision', '9'],
      ['paula-profiles/audiences', 'ids', ['others']],
      ['paula-consents', 'granted', ['email']],
      ['paula-control', 'expires', 'never'],
    ] as const) {
      const changed = new Map(tables);
      const [first, ...rest] = tables.get(table) ?? [];
      changed.set(table, [{ ...first, [field]: value }, ...rest]);
      const { different: seen, differences } = compareProfiles(tables, changed);
      expect([table, seen, differences[0]]).toEqual([table, 1, expect.stringContaining(`${field}: `)]);
    }
  });

  it('finds an item that only one of two runs has', () => {
    const fewer = new Map(tables);
    fewer.set('paula-profiles/link', (tables.get('paula-profiles/link') ?? []).slice(1));
    expect(compareProfiles(tables, fewer)).toMatchObject({ different: 1 });
  });
});

describe('npm run smoke', () => {
  const smoke = (...args: string[]) =>
    spawnSync(process.execPath, ['conformance/smoke.ts', ...args], { cwd: ROOT, encoding: 'utf8' });

  it('holds at the local door, with a live key', () => {
    const key = platform.keys.writeKeys.shop_backend?.[0] ?? '';
    const { status, stdout } = smoke('--url', platform.door.url, '--key', key);
    expect([status, stdout]).toEqual([0, expect.stringContaining('\n9 held, 0 failed, 3 skipped\n')]);
    expect(stdout).not.toContain(key);
  });

  it('fails with a dead key', () => {
    const { status, stdout } = smoke('--url', platform.door.url, '--key', 'nobody-has-this-key');
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^FAILED {3}the write key is live: status 401/m)]);
  });

  it('fails at a door that is not one', () => {
    const { status, stdout } = smoke('--url', 'http://127.0.0.1:9');
    expect([status, stdout]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });

  it.each([
    [],
    ['--url', 'door'],
    ['--url', 'https://door.example/p.gif'],
    ['--url', 'http://localhost', '--origin', 'x'],
  ])('refuses a wrong call: %s %s %s %s', (...args) => {
    const { status, stderr } = smoke(...args.filter((arg) => typeof arg === 'string'));
    expect([status, stderr]).toEqual([2, expect.stringContaining('npm run smoke -- --url URL')]);
  });
});
