import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { writeAnswer } from '../api-gateway.ts';
import { CONTROL_HEADER, type Control, isToken } from '../secrets.ts';
import type { RightsRun } from './rights-runner.ts';

type LocalDoor = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
) => Promise<void>;

/**
 * `POST /local/rights?as_of=ISO` runs the rights job now, as of a time that may lie ahead: so the windows that an erasure
 * waits out can be tested. It wants the control token; every other path goes to `others`.
 */
export function rightsDoor(control: Control, run: (asOf: Date) => Promise<RightsRun>, others: LocalDoor): LocalDoor {
  const answer = (response: ServerResponse, statusCode: number, body: unknown) =>
    writeAnswer(response, {
      statusCode,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return async (request, response, path, query) => {
    if (request.method !== 'POST' || path !== '/local/rights') return others(request, response, path, query);
    request.resume();
    const token = request.headers[CONTROL_HEADER];
    if (!isToken(typeof token === 'string' ? token : undefined, control)) {
      answer(response, 401, { message: `wants the token of control.json as ${CONTROL_HEADER}` });
      return;
    }
    const asOf = z.iso
      .datetime()
      .optional()
      .safeParse(query.get('as_of') ?? undefined);
    if (!asOf.success) {
      answer(response, 400, { message: 'as_of must be a time in ISO 8601' });
      return;
    }
    try {
      answer(response, 200, await run(asOf.data === undefined ? new Date() : new Date(asOf.data)));
    } catch (error) {
      // The caller is this machine's operator: the reason helps and goes nowhere else.
      answer(response, 500, { message: (error as Error).message });
    }
  };
}
