import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { readBody, writeAnswer, writeRefusal } from './api-gateway.ts';
import type { FailedBatch } from './on-failure.ts';
import type { PlanRun } from './schedule.ts';
import { CONTROL_HEADER, type Control, isToken } from './secrets.ts';

export type ControlDeps = {
  control: Control;
  status(): unknown;
  runPlan(asOf: Date): Promise<PlanRun>;
  failed(): Promise<FailedBatch[]>;
  /** Sends a failed batch into its consumer; resolves to what became of it. */
  replayFailed(key: string): Promise<{ consumer: string; records: number; failedAgain: number }>;
};

/** A key of the on-failure destination is under 300 bytes. */
const MAX_BODY_BYTES = 4096;

const json = (statusCode: number, body: unknown) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/**
 * The door for the tools of this machine. `GET /local/status` is open and holds counts and times only; the others want
 * the control token of the state folder, which a page in a browser cannot read:
 * `POST /local/plan?as_of=ISO`, `GET /local/failed`, `POST /local/failed/replay` with `{"key": …}`.
 */
export function controlDoor(deps: ControlDeps) {
  return async (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<void> => {
    const body = (await readBody(request, MAX_BODY_BYTES)) ?? Buffer.alloc(0);
    const call = `${request.method} ${path}`;
    if (call === 'GET /local/status') {
      writeAnswer(response, json(200, deps.status()));
      return;
    }
    const token = request.headers[CONTROL_HEADER];
    if (!isToken(typeof token === 'string' ? token : undefined, deps.control)) {
      writeAnswer(response, json(401, { message: `wants the token of control.json as ${CONTROL_HEADER}` }));
      return;
    }
    try {
      if (call === 'POST /local/plan') {
        const asOf = z.iso
          .datetime()
          .optional()
          .parse(query.get('as_of') ?? undefined);
        writeAnswer(response, json(200, await deps.runPlan(asOf ? new Date(asOf) : new Date())));
      } else if (call === 'GET /local/failed') {
        writeAnswer(response, json(200, await deps.failed()));
      } else if (call === 'POST /local/failed/replay') {
        const { key } = z.strictObject({ key: z.string() }).parse(JSON.parse(body.toString()));
        writeAnswer(response, json(200, await deps.replayFailed(key)));
      } else {
        writeRefusal(response, 404);
      }
    } catch (error) {
      // The caller is this machine's operator: the reason helps and goes nowhere else.
      const refused = error instanceof z.ZodError || error instanceof SyntaxError;
      writeAnswer(response, json(refused ? 400 : 500, { message: (error as Error).message }));
    }
  };
}
