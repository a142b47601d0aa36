import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { writeAnswer } from '../api-gateway.ts';
import { CONTROL_HEADER, type Control, isToken } from '../secrets.ts';
import type { SegmentReport } from './segment-report.ts';

type LocalDoor = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
) => Promise<void>;

/**
 * `POST /local/segment?id=ID&as_of=ISO` tries a segment on the running platform's lake, which one process may hold. It wants
 * the control token; every other path goes to `others`.
 */
export function segmentDoor(
  control: Control,
  report: (id: string, asOf: Date) => Promise<SegmentReport>,
  others: LocalDoor,
): LocalDoor {
  return async (request, response, path, query) => {
    if (request.method !== 'POST' || path !== '/local/segment') return others(request, response, path, query);
    const answer = (statusCode: number, body: unknown): void => {
      writeAnswer(response, {
        statusCode,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    };
    const token = request.headers[CONTROL_HEADER];
    if (!isToken(typeof token === 'string' ? token : undefined, control))
      return answer(401, { message: `wants the token of control.json as ${CONTROL_HEADER}` });
    try {
      const asOf = z.iso
        .datetime()
        .optional()
        .parse(query.get('as_of') ?? undefined);
      answer(200, await report(query.get('id') ?? '', asOf ? new Date(asOf) : new Date()));
    } catch (error) {
      // The caller is this machine's operator: the reason helps and goes nowhere else.
      answer(400, { message: (error as Error).message });
    }
  };
}
