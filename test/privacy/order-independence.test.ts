import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stageOf } from '../../domain/config.ts';
import { buildErasure } from '../../domain/erasure.ts';
import type { Purpose } from '../../domain/purposes.ts';
import type { StreamRecord } from '../../domain/stream-record.ts';
import config from '../../paula.config.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import { at, INGEST, openFixtureLake } from '../sql/fixture-lake.ts';
import { SmallModel } from './small-model.ts';
import { openWorld, type Streamed, type World } from './world.ts';

/** Sequences run over a DynamoDB and a lake, on a machine that may be busy. */
const LONG_MS = 600_000;

/** Random sequences and their length; a longer run of the property takes PAULA_PRIVACY_RUNS. */
const RUNS = Number(process.env.PAULA_PRIVACY_RUNS ?? 40);
const MAX_STEPS = 16;

let world: World;
beforeAll(async () => {
  world = await openWorld(at('2026-11-24T08:00:00'));
}, LONG_MS);
afterAll(() => world.close());

type Step =
  | { do: 'impression' | 'old impression'; browser: string }
  | { do: 'choose' | 'withdraw'; browser: string; purposes: readonly Purpose[] }
  | { do: 'identify'; browser: string; person: string }
  | { do: 'choose of a person' | 'order'; person: string; purposes: readonly Purpose[] }
  | { do: 'deliver'; which: number; racing: boolean }
  | { do: 'publish'; which: number };

let sequences = 0;

/** Does the steps at the door and beside it in the model, and hands the stream to the consumer as the steps say. */
async function play(steps: readonly Step[]): Promise<{ records: StreamRecord[]; model: SmallModel }> {
  const run = sequences++;
  const model = new SmallModel();
  const customer = (person: string) => `${person} of ${run}`;
  const browsers = new Map<string, ReturnType<World['browser']>>();
  /** The cookies before the last choice, and what the model had then. */
  const before = new Map<string, { jar: ReadonlyMap<string, string>; tab: ReturnType<SmallModel['tab']> }>();
  /** Real ids by the model's names. */
  const ids = new Map<string, string>();
  const begin = world.stream.length;
  const queues = new Map<string, Streamed[]>();
  let taken = begin;

  const browserOf = (name: string) => {
    const known = browsers.get(name) ?? world.browser();
    browsers.set(name, known);
    return known;
  };
  const learn = (name: string) => {
    const { device } = model.tab(name);
    const real = browserOf(name).device();
    if (device !== undefined && real !== undefined) ids.set(device, real);
    expect(real === undefined).toBe(device === undefined);
  };
  const choose = async (name: string, purposes: readonly Purpose[]) => {
    before.set(name, { jar: browserOf(name).jar(), tab: model.tab(name) });
    await browserOf(name).choose(purposes);
    model.choose(name, new Set(purposes), world.now());
    learn(name);
  };
  /** The records that wait, by the key that orders them. */
  const queued = () => {
    for (; taken < world.stream.length; taken++) {
      const next = world.stream[taken] as Streamed;
      queues.set(next.key, [...(queues.get(next.key) ?? []), next]);
    }
    return [...queues].filter(([, waiting]) => waiting.length > 0);
  };
  const said = (person: string, purposes: readonly Purpose[]) => ({
    userId: customer(person),
    context: { consent: { categoryPreferences: Object.fromEntries(purposes.map((purpose) => [purpose, true])) } },
  });

  const rest = [...steps];
  const next = async (): Promise<void> => {
    const step = rest.shift();
    switch (step?.do) {
      case 'impression':
        await browserOf(step.browser).pixel('e=impression');
        return model.see(model.tab(step.browser), 'Ad Impression', world.now());
      case 'old impression': {
        const old = before.get(step.browser);
        if (!old) return;
        await browserOf(step.browser).pixel('e=impression', old.jar);
        return model.see(old.tab, 'Ad Impression', world.now());
      }
      case 'choose':
        return choose(step.browser, step.purposes);
      case 'withdraw':
        return choose(
          step.browser,
          [...model.tab(step.browser).granted].filter((purpose) => !step.purposes.includes(purpose)),
        );
      case 'identify': {
        before.set(step.browser, { jar: browserOf(step.browser).jar(), tab: model.tab(step.browser) });
        await browserOf(step.browser).identify(customer(step.person));
        model.identify(step.browser, step.person, world.now());
        return learn(step.browser);
      }
      case 'choose of a person':
        await world.server('/v1/identify', said(step.person, step.purposes));
        model.choosePerson(step.person, new Set(step.purposes), world.now());
        // The message is an event as well.
        return model.tell(step.person, new Set(step.purposes), 'Identified', world.now());
      case 'order': {
        const properties = { order_id: `o-${run}-${rest.length}`, product_id: 'SKU-1' };
        await world.server('/v1/track', { event: 'Order Completed', properties, ...said(step.person, step.purposes) });
        return model.tell(step.person, new Set(step.purposes), 'Order Completed', world.now());
      }
      case 'deliver': {
        const waiting = queued();
        const [key, records] = waiting[step.which % Math.max(1, waiting.length)] ?? [];
        if (key === undefined || !records) return;
        queues.set(key, []);
        return world.deliver(records, step.racing && rest[0]?.do !== 'deliver' ? next : undefined);
      }
      case 'publish': {
        // The plan puts into an audience whom the rows of the time speak for.
        const present = [...ids.keys()].filter((name) => model.folded(name).length > 0);
        const subject = present[step.which % Math.max(1, present.length)];
        if (subject === undefined) return;
        await world.audiences.enter(ids.get(subject) ?? '', 'some');
        model.published.push({ subject, at: world.now() });
      }
    }
  };
  for (const person of ['person 0', 'person 1']) ids.set(person, world.person(customer(person)));
  while (rest.length > 0) await next();
  for (const [key, records] of queued()) {
    queues.set(key, []);
    await world.deliver(records);
  }

  for (const [name, id] of ids) await compare(name, id, ids, model);
  return { records: world.stream.slice(begin).map(({ record }) => record), model };
}

/** The tables hold of a subject what the model says, neither more nor less. */
async function compare(name: string, id: string, ids: ReadonlyMap<string, string>, model: SmallModel): Promise<void> {
  const { audiences, link } = await world.stored(id);
  const profile = await world.profile(id);
  const receipts = await world.receiptsOf(id);
  const folded = model.folded(name);
  const counts = new Map<string, number>();
  for (const event of folded) counts.set(event.name, (counts.get(event.name) ?? 0) + 1);
  const person = model.personOf(name, Number.POSITIVE_INFINITY);
  expect({
    counts: Object.fromEntries([...(profile?.counts ?? [])].sort()),
    seen: profile && [profile.firstSeen, profile.lastSeen],
    inAudience: (audiences?.ids?.size ?? 0) > 0,
    person: link?.person,
    receipts: receipts.map(({ granted }) => [...(granted as string[])].sort()),
  }).toEqual({
    counts: Object.fromEntries([...counts].sort()),
    seen: folded.length > 0 ? [folded[0]?.at, folded.at(-1)?.at] : undefined,
    inAudience: model.isInAudience(name),
    person: person && ids.get(person),
    receipts: model.receipts(name).map((granted) => [...granted].sort()),
  });
}

/** The rows that ingest, and then maintenance, leave of records that landed in any order. */
async function lakeRows(records: readonly StreamRecord[]): Promise<Map<number, readonly string[]>> {
  const lake = await openFixtureLake();
  try {
    const asOf = new Date(world.now() + 60_000);
    const half = Math.ceil(records.length / 2);
    // What came later lands and is ingested first.
    for (const part of [records.slice(half), records.slice(0, half)]) {
      await lake.land(part, undefined, undefined, world.now());
      await lake.run(INGEST, asOf);
    }
    const steps = buildErasure({
      config,
      stage: stageOf(config, 'local'),
      bucket: 'lake',
      ...readErasureTexts(config),
    });
    const cut = steps.find(({ id }) => id === 'erase-withdrawn');
    if (cut?.kind !== 'statement') throw new Error('the job has no statement for withdrawals');
    await lake.rows(cut.sql);
    const rows = await lake.rows("SELECT received_at, purposes FROM events WHERE basis <> 'anonymous'");
    return new Map(
      rows.map(({ received_at, purposes }) => [
        Date.parse(`${String(received_at).replace(' ', 'T')}Z`),
        [...(purposes as string[])].sort(),
      ]),
    );
  } finally {
    lake.close();
  }
}

const inOrder = (rows: ReadonlyMap<number, readonly string[]>) => [...rows].sort(([a], [b]) => a - b);

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length < 2
    ? [[...items]]
    : items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));

const ALL: readonly Purpose[] = ['storage', 'measurement', 'profile', 'identity_merge'];
const WITHDRAWALS: readonly Purpose[] = ['profile', 'measurement', 'storage', 'identity_merge'];

describe('impression, identify, consent, withdrawal and order', () => {
  it(
    'leave what the model says in every order, whenever the consumer comes, and in the lake',
    async () => {
      const five: Step[] = [
        { do: 'impression', browser: 'a' },
        { do: 'identify', browser: 'a', person: 'person 0' },
        { do: 'choose', browser: 'a', purposes: ALL },
        { do: 'withdraw', browser: 'a', purposes: [] },
        { do: 'order', person: 'person 0', purposes: ['measurement', 'profile'] },
      ];
      /** What stands between two steps: nothing, so that all is delivered at the end; the consumer; the consumer and a race. */
      const between: Step[][] = [
        [],
        [{ do: 'deliver', which: 0, racing: false }],
        [
          { do: 'publish', which: 0 },
          { do: 'deliver', which: 0, racing: true },
        ],
      ];
      const records: StreamRecord[] = [];
      const wanted = new Map<number, readonly Purpose[]>();
      for (const [i, order] of permutations(five).entries()) {
        const purposes = [WITHDRAWALS[i % WITHDRAWALS.length] as Purpose];
        const steps = order.flatMap((step) => [
          step.do === 'withdraw' ? { ...step, purposes } : step,
          ...(between[i % between.length] ?? []),
        ]);
        // Once more under what was chosen then: so that there is something to keep.
        const played = await play([{ do: 'choose', browser: 'a', purposes: ALL }, ...steps, ...order.slice(0, 2)]);
        records.push(...played.records);
        for (const [time, row] of played.model.rows()) wanted.set(time, row);
      }
      expect(wanted.size).toBeGreaterThan(100);
      expect(inOrder(await lakeRows(records))).toEqual(inOrder(wanted));
    },
    LONG_MS,
  );

  const browser = fc.constantFrom('a', 'b');
  const person = fc.constantFrom('person 0', 'person 1');
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constantFrom('impression', 'old impression'), browser }),
    fc.record({
      do: fc.constant('choose'),
      browser,
      purposes: fc.oneof(fc.constant(ALL), fc.subarray([...ALL, 'activation'])),
    }),
    fc.record({ do: fc.constant('withdraw'), browser, purposes: fc.subarray([...ALL], { minLength: 1 }) }),
    fc.record({ do: fc.constant('identify'), browser, person }),
    fc.record({
      do: fc.constantFrom('choose of a person', 'order'),
      person,
      purposes: fc.oneof(fc.constant(ALL.slice(1)), fc.subarray([...ALL.slice(1)])),
    }),
    fc.record({ do: fc.constant('deliver'), which: fc.nat({ max: 3 }), racing: fc.boolean() }),
    fc.record({ do: fc.constant('publish'), which: fc.nat({ max: 3 }) }),
  ) as fc.Arbitrary<Step>;

  it(
    'and choices of persons, shared browsers, old cookies and audiences too, in any sequence',
    async () => {
      const records: StreamRecord[] = [];
      const wanted = new Map<number, readonly Purpose[]>();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: MAX_STEPS }), async (steps) => {
          const begun: Step = { do: 'choose', browser: 'a', purposes: ALL };
          const played = await play([begun, ...steps]);
          records.push(...played.records);
          for (const [time, row] of played.model.rows()) wanted.set(time, row);
        }),
        { numRuns: RUNS },
      );
      expect(inOrder(await lakeRows(records))).toEqual(inOrder(wanted));
    },
    LONG_MS,
  );
});
