import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumerName } from '../../domain/consumers.ts';
import type { AwsCalls } from '../engines/aws-calls.ts';
import type { Report } from '../report.ts';
import { deviceOf, pageView, putInOrder } from './neighbours.ts';
import { type ConsumerFunctions, eventsCounted, failuresOf } from './poison.ts';
import { type Refusal, startRefusingProxy } from './refusing-proxy.ts';
import { settle } from './settle.ts';
import type { Stores } from './stores.ts';

/** What a consumer cannot do without, how the SDK is pointed elsewhere for it, and how a service refuses it. */
type Dependency = { call: string; variable: string; isOfKind: (request: IncomingMessage) => boolean; refusal: Refusal };

/** Refusals that no SDK tries again by itself, so that each is a call of the function that throws. */
const DEPENDENCIES: Readonly<Record<ConsumerName, Dependency>> = {
  profile: {
    call: 'BatchGetItem',
    variable: 'AWS_ENDPOINT_URL_DYNAMODB',
    isOfKind: ({ headers }) => String(headers['x-amz-target']).endsWith('.BatchGetItem'),
    refusal: {
      status: 400,
      type: 'application/x-amz-json-1.0',
      body: JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', message: 'for a while' }),
    },
  },
  land: {
    call: 'PutObject',
    variable: 'AWS_ENDPOINT_URL_S3',
    isOfKind: ({ method }) => method === 'PUT',
    refusal: {
      status: 403,
      type: 'application/xml',
      body: '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>for a while</Message></Error>',
    },
  },
};

/** So often a consumer throws before it works again. */
const REFUSALS = 2;
const EVENTS = 4;
const PLACE = 'the mappings in lib/stream-consumer.ts';

/**
 * Lets a consumer throw twice and then work: what it calls is refused twice, by a proxy that an environment variable of the
 * function names for a while. Nothing may be lost, counted twice or given up.
 */
export async function proveRecovery(
  report: Report,
  stores: Stores,
  functions: ConsumerFunctions,
  { calls, service }: { calls: AwsCalls; service: string },
): Promise<void> {
  for (const consumer of ['profile', 'land'] as const) {
    const { call, variable, isOfKind, refusal } = DEPENDENCIES[consumer];
    const title = `${consumer} throws ${REFUSALS} times (${call} is refused) and loses nothing`;
    const proxy = await startRefusingProxy({ service, isOfKind, refusals: REFUSALS, refusal });
    const restore = await withVariable(calls, functions[consumer], variable, proxy.url);
    try {
      const check = `recovery of ${consumer}`;
      const at = Date.now();
      const texts = Array.from({ length: EVENTS }, (_, n) => JSON.stringify(pageView(check, n, at)));
      const put = await putInOrder(stores, texts, deviceOf(check));
      await settle(stores, put);
      const counted = await eventsCounted(stores, deviceOf(check));
      const { length: given } = await failuresOf(put, stores, 0);
      const seen = `${proxy.refused} calls refused, ${proxy.passed} taken, ${counted} of ${EVENTS} events counted, ${given} batches given up`;
      if (proxy.refused === REFUSALS && proxy.passed > 0 && counted === EVENTS && given === 0) report.ok(title, seen);
      else report.fail(`${title}: ${seen}`, PLACE);
    } catch (error) {
      report.fail(`${title}: ${(error as Error).message}`, PLACE);
    } finally {
      await restore();
      await proxy.stop();
    }
  }
}

/** Gives a function one environment variable more; answers with what takes it away again. */
async function withVariable(
  calls: AwsCalls,
  FunctionName: string,
  name: string,
  value: string,
): Promise<() => Promise<void>> {
  const { Environment } = await calls.call('lambda', 'get_function_configuration', { FunctionName });
  const before = (Environment?.Variables ?? {}) as Record<string, string>;
  const set = async (Variables: Record<string, string>): Promise<void> => {
    await calls.call('lambda', 'update_function_configuration', { FunctionName, Environment: { Variables } });
    await updated(calls, FunctionName);
  };
  await set({ ...before, [name]: value });
  return () => set(before);
}

const UPDATED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 200;

async function updated(calls: AwsCalls, FunctionName: string): Promise<void> {
  const end = Date.now() + UPDATED_WITHIN_MS;
  for (;;) {
    const { LastUpdateStatus } = await calls.call('lambda', 'get_function_configuration', { FunctionName });
    if (LastUpdateStatus === 'Successful') return;
    if (Date.now() > end) throw new Error(`the update of ${FunctionName} is ${LastUpdateStatus}`);
    await pause(LOOK_EVERY_MS);
  }
}
