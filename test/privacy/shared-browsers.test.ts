import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stageOf } from '../../domain/config.ts';
import { boundStatement, buildErasure, requestIdsLiteral } from '../../domain/erasure.ts';
import type { Purpose } from '../../domain/purposes.ts';
import config from '../../paula.config.ts';
import { readErasureTexts } from '../../sql/erasure-texts.ts';
import { at, FEATURES, INGEST, openFixtureLake } from '../sql/fixture-lake.ts';
import { openWorld, type World } from './world.ts';

const ALL: readonly Purpose[] = ['storage', 'measurement', 'profile', 'personalisation', 'identity_merge'];

/** A DynamoDB and a lake on a machine that may be busy. */
const LONG_MS = 60_000;

let world: World;
beforeEach(async () => {
  world = await openWorld(at('2026-11-24T08:00:00'));
});
afterEach(() => world.close());

let orders = 0;
async function order(customer: string, product: string): Promise<void> {
  const properties = { order_id: `o-${orders++}`, product_id: product, value: 20, currency: 'EUR' };
  const context = { consent: { categoryPreferences: { measurement: true, profile: true } } };
  await world.server('/v1/track', { event: 'Order Completed', userId: customer, properties, context });
}

/** Anna and then Bert use one browser; each buys and looks at something of his or her own. */
async function shared() {
  const browser = world.browser();
  await browser.choose(ALL);
  await browser.identify('anna');
  await browser.pixel('e=product_view&p=ANNA-LOOK');
  await order('anna', 'ANNA-BUY');
  const anna = { device: browser.device() ?? '', jar: browser.jar() };
  const answer = await browser.identify('bert');
  expect(answer.cookies?.join()).toContain('paula_id=');
  await browser.pixel('e=product_view&p=BERT-LOOK');
  await order('bert', 'BERT-BUY');
  const bert = { device: browser.device() ?? '', jar: browser.jar() };
  expect(bert.device).not.toBe(anna.device);
  await world.deliver(world.stream);
  return { browser, anna, bert };
}

describe('a browser that two persons use', () => {
  it(
    'suppresses for each what that person has bought, and stays with the one who identified last',
    async () => {
      const { browser, anna, bert } = await shared();
      const seen = async () => [
        (await browser.decision('ANNA-BUY')).reason,
        (await browser.decision('BERT-BUY')).reason,
      ];
      expect(await seen()).toEqual(['eligible', 'bought']);
      browser.use(anna.jar);
      expect(await seen()).toEqual(['bought', 'eligible']);
      expect((await world.stored(anna.device)).link?.person).toBe(world.person('anna'));
      expect((await world.stored(bert.device)).link?.person).toBe(world.person('bert'));
      // When Anna comes back, a device of her own begins once more: Bert's stays Bert's.
      browser.use(bert.jar);
      await browser.identify('anna');
      expect(await seen()).toEqual(['bought', 'eligible']);
      expect((await world.stored(bert.device)).link?.person).toBe(world.person('bert'));
    },
    LONG_MS,
  );

  it(
    'shows in a download, of the device or of the person, the orders of nobody else; so do profiles and reports',
    async () => {
      const { browser, anna } = await shared();
      const ofBert = await requested(await browser.rights('GET /v1/me'));
      browser.use(anna.jar);
      const ofAnna = await requested(await browser.rights('GET /v1/me'));
      const persons = {
        anna: await requested(await world.brand('export', 'anna')),
        bert: await requested(await world.brand('export', 'bert')),
      };
      expect((await world.ledger.request(persons.anna))?.subjects).toEqual([world.person('anna'), anna.device]);
      expect((await world.ledger.request(ofBert))?.subjects).not.toContain(world.person('bert'));

      const lake = await openFixtureLake();
      try {
        const asOf = new Date(world.now() + 60_000);
        await lake.land(
          world.stream.map(({ record }) => record),
          undefined,
          undefined,
          world.now(),
        );
        await lake.run([...INGEST, ...FEATURES], asOf);
        const products = async (request: string) => {
          const steps = buildErasure({
            config,
            stage: stageOf(config, 'local'),
            bucket: 'lake',
            ...readErasureTexts(config),
          });
          const step = steps.find(({ id }) => id === 'access-events');
          if (step?.kind !== 'unload') throw new Error('the job has no unload of events');
          const rows = await lake.rows(boundStatement(step, asOf, requestIdsLiteral([request])));
          return [...new Set(rows.flatMap(({ product_id }) => product_id ?? []))].sort();
        };
        // Possession of the cookie reaches that device and not even its own person.
        expect(await products(ofAnna)).toEqual(['ANNA-LOOK']);
        expect(await products(ofBert)).toEqual(['BERT-LOOK']);
        expect(await products(persons.anna)).toEqual(['ANNA-BUY', 'ANNA-LOOK']);
        expect(await products(persons.bert)).toEqual(['BERT-BUY', 'BERT-LOOK']);
        for (const table of ['profile_events', 'profile_history'])
          for (const name of ['anna', 'bert']) {
            const rows = await lake.rows(
              `SELECT DISTINCT product_id FROM ${table} WHERE profile_id = '${world.person(name)}' AND product_id <> ''`,
            );
            const own = name.toUpperCase();
            expect(rows.map(({ product_id }) => product_id).sort()).toEqual([`${own}-BUY`, `${own}-LOOK`]);
          }
      } finally {
        lake.close();
      }
    },
    LONG_MS,
  );
});

const requested = async ({ body = '' }: { body?: string | undefined }): Promise<string> =>
  (JSON.parse(body) as { request: { id: string } }).request.id;
