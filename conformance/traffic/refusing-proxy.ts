import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { close, listen } from '../../local/loopback.ts';

/** An answer in the place of the service's own. */
export type Refusal = { status: number; type: string; body: string };

export type RefusingProxy = {
  url: string;
  /** Calls of the kind that were refused, and those that were passed on. */
  readonly refused: number;
  readonly passed: number;
  stop: () => Promise<void>;
};

/**
 * Stands between a function and a service: refuses the first calls of one kind and passes everything else on as it is.
 * So a dependency fails and comes back without a change to the function.
 */
export async function startRefusingProxy(options: {
  service: string;
  isOfKind: (request: IncomingMessage) => boolean;
  refusals: number;
  refusal: Refusal;
}): Promise<RefusingProxy> {
  const { service, isOfKind, refusals, refusal } = options;
  const counts = { refused: 0, passed: 0 };
  const server = createServer((request, response) => {
    const ofKind = isOfKind(request);
    if (ofKind && counts.refused < refusals) {
      counts.refused++;
      refuse(request, response, refusal);
    } else {
      if (ofKind) counts.passed++;
      passOn(request, response, service);
    }
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    get refused() {
      return counts.refused;
    },
    get passed() {
      return counts.passed;
    },
    stop: () => close(server),
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, { status, type, body }: Refusal): void {
  // The body is read to its end, so that the caller hears the answer.
  request.resume();
  request.once('end', () => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  });
}

function passOn(request: IncomingMessage, response: ServerResponse, service: string): void {
  const { method, url: path, headers } = request;
  const onward = httpRequest(new URL(service), { method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.once('error', () => response.destroy());
  request.pipe(onward);
}
