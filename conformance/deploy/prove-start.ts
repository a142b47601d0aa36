import { toEvent } from '../../local/api-gateway.ts';
import type { AwsCalls } from '../engines/aws-calls.ts';
import type { Report } from '../report.ts';
import type { DeployedStage, FunctionName } from './deployed-stage.ts';

/** A call that changes nothing, and what its answer says once the function is up. */
type Trial = { event: unknown; answers: RegExp; environment: string };

const request = (method: string, target: string) =>
  toEvent(
    { method, target, httpVersion: '1.1', rawHeaders: [], body: Buffer.alloc(0), sourceIp: '127.0.0.1' },
    { routeKey: `${method} ${target}`, requestId: 'trial', now: Date.now() },
  );

const TRIALS: Readonly<Record<Exclude<FunctionName, 'keys'>, Trial>> = {
  collect: { event: request('OPTIONS', '/v1/consent'), answers: /"statusCode":204/, environment: 'lib/door.ts' },
  decide: { event: request('GET', '/v1/decision'), answers: /"statusCode":200/, environment: 'lib/door.ts' },
  rights: { event: request('GET', '/v1/me'), answers: /"statusCode":401/, environment: 'lib/rights.ts' },
  profile: { event: { Records: [] }, answers: /"batchItemFailures":\[\]/, environment: 'lib/line-stack.ts' },
  land: { event: { Records: [] }, answers: /"batchItemFailures":\[\]/, environment: 'lib/line-stack.ts' },
  // It refuses an empty request, which it cannot do before it is up.
  publish: { event: {}, answers: /segment/, environment: 'lib/plan.ts' },
  erase: {
    event: { task: 'open', as_of: '2026-11-24T00:00:00.000Z', run: 'trial' },
    answers: /"idle":/,
    environment: 'lib/erasure-job.ts',
  },
};

const LONGEST = 500;

/**
 * Calls each function once by itself: a bundle that lacks a module or an environment that lacks a name is told by the
 * function's own words, which no request at the door brings back. The function behind the deploy has run already.
 */
export async function proveStart(report: Report, calls: AwsCalls, stage: DeployedStage): Promise<void> {
  for (const [name, { event, answers, environment }] of Object.entries(TRIALS)) {
    const FunctionName = stage.functionNames[name as FunctionName];
    const { Payload } = await calls.call('lambda', 'invoke', { FunctionName, Payload: JSON.stringify(event) });
    // As JSON without blanks, however the service has spaced it.
    const answer = JSON.stringify(JSON.parse(Buffer.from(Payload, 'base64').toString() || 'null'));
    if (answers.test(answer)) report.ok(`${name} starts`);
    else
      report.fail(
        `${name} starts: it answers ${answer.slice(0, LONGEST)}`,
        `lambdas/${name}.lambda.ts and what it imports, or its environment in ${environment}`,
      );
  }
}
