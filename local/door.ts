import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  headBytes,
  MAX_BODY_BYTES,
  MAX_HEAD_BYTES,
  readBody,
  splitTarget,
  toEvent,
  writeAnswer,
  writeRefusal,
} from './api-gateway.ts';
import { close, LOOPBACK, listen } from './loopback.ts';

export type Route<Name extends string = string> = { method: string; path: string; function: Name; signed?: true };

/** A request as it came, for who verifies its signature. */
export type SignedRequest = { method: string; target: string; rawHeaders: readonly string[]; body: Buffer };

export type DoorDeps<Name extends string> = {
  routes: readonly Route<Name>[];
  /** Calls a function with the event of a request; rejects when it throws. */
  invoke(name: Name, event: unknown, requestId: string): Promise<unknown>;
  /**
   * Says who signed a request, as IAM does for API Gateway: a principal's ARN; undefined for every fault of the signature.
   * Without it no signed route answers.
   */
  signer?(request: SignedRequest): Promise<string | undefined>;
  /** Called when a function is done and its answer is not written. */
  beforeAnswer(name: Name): void;
  /** The platform's own paths, below `/local/`. */
  local(request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams): Promise<void>;
  onFault(error: unknown): void;
};

/** Longer than a client's pause between two requests, so that a kept connection is not closed under its next one. */
const KEEP_ALIVE_MS = 65_000;

/** Node answers 431 by itself beyond this; the gateway's own limit is checked below it and has its own body. */
const NODE_HEAD_BYTES = 64 * 1024;

/** How long requests under way may take to end when the door closes. */
const CLOSE_MS = 1_000;

/** The platform's own paths; API Gateway has nothing there. */
const LOCAL_PREFIX = '/local/';

export type Door = {
  port: number;
  /** Answers requests with these; until then it answers 503, so that the port is taken before anything else starts. */
  open<Name extends string>(deps: DoorDeps<Name>): void;
  stop(): Promise<void>;
};

/**
 * Takes the door's port on the loopback, for IPv4 and, where the machine has it, IPv6, since `localhost` means either.
 * Rejects with EADDRINUSE when it is occupied.
 */
export async function takePort(port: number): Promise<Door> {
  let answer = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    writeRefusal(response, 503);
  };
  const serve = (): Server => {
    const options = { keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: NODE_HEAD_BYTES };
    return createServer(options, (request, response) => void answer(request, response));
  };
  const servers = [serve()];
  const taken = await listen(servers[0] as Server, port);
  const ipv6 = serve();
  try {
    await listen(ipv6, taken, '::1');
    servers.push(ipv6);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') {
      await close(servers[0] as Server);
      throw error;
    }
  }
  return {
    port: taken,
    open(deps) {
      answer = (request, response) => serveRequest(request, response, deps);
    },
    async stop() {
      const timer = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, CLOSE_MS);
      await Promise.allSettled(servers.map((server) => close(server)));
      clearTimeout(timer);
    },
  };
}

async function serveRequest<Name extends string>(
  request: IncomingMessage,
  response: ServerResponse,
  deps: DoorDeps<Name>,
): Promise<void> {
  try {
    const { method = '', url: target = '/', httpVersion, rawHeaders } = request;
    if (headBytes({ method, target, httpVersion, rawHeaders }) > MAX_HEAD_BYTES) return refuse(request, response, 431);
    const { path, query } = splitTarget(target);
    if (path.startsWith(LOCAL_PREFIX)) return await deps.local(request, response, path, new URLSearchParams(query));
    const route = matchRoute(deps.routes, method, path);
    if (!route) return refuse(request, response, 404);
    const body = await readBody(request).catch(() => 'hung up' as const);
    if (body === 'hung up') return;
    if (body === undefined) return refuse(request, response, 413);

    const signer = route.signed ? await deps.signer?.({ method, target, rawHeaders, body }) : undefined;
    if (route.signed && signer === undefined) return refuse(request, response, 403);
    const requestId = randomUUID();
    const sourceIp = request.socket.remoteAddress ?? LOOPBACK;
    const { routeKey, pathParameters, name } = route;
    const event = toEvent(
      { method, target, httpVersion, rawHeaders, body, sourceIp },
      { routeKey, requestId, now: Date.now(), ...(pathParameters && { pathParameters }) },
    );
    if (signer !== undefined) Object.assign(event.requestContext, { authorizer: { iam: { userArn: signer } } });
    // Base64 makes a body a third longer, and it is the event that Lambda limits.
    if ((event.body?.length ?? 0) > MAX_BODY_BYTES) return refuse(request, response, 413);
    response.setHeader('apigw-requestid', requestId);
    const answer = await deps.invoke(name, event, requestId);
    deps.beforeAnswer(name);
    writeAnswer(response, answer);
  } catch (error) {
    deps.onFault(error);
    if (!response.headersSent) writeRefusal(response, 500);
    else response.destroy();
  }
}

/** Refuses without a function. What is left of the body is read and dropped, so that the client hears the answer. */
function refuse(request: IncomingMessage, response: ServerResponse, status: 403 | 404 | 413 | 431): void {
  response.shouldKeepAlive = false;
  writeRefusal(response, status);
  request.resume();
}

/** An exact path wins over one with a parameter (`{name}`), and that over a greedy one (`{name+}`), as in API Gateway. */
export function matchRoute<Name extends string>(
  routes: readonly Route<Name>[],
  method: string,
  path: string,
): { name: Name; routeKey: string; signed?: true; pathParameters?: Record<string, string> } | undefined {
  const candidates = routes.filter((route) => route.method === method);
  const keyOf = (route: Route) => `${route.method} ${route.path}`;
  const matched = (route: Route<Name>, pathParameters?: Record<string, string>) => ({
    name: route.function,
    routeKey: keyOf(route),
    ...(route.signed && { signed: route.signed }),
    ...(pathParameters && { pathParameters }),
  });
  const exact = candidates.find((route) => route.path === path);
  if (exact) return matched(exact);
  for (const route of candidates) {
    const parameters = parametersOf(route.path, path);
    if (parameters) return matched(route, parameters);
  }
  for (const route of candidates) {
    const [, start, parameter] = /^(.*\/)\{(\w+)\+\}$/.exec(route.path) ?? [];
    if (start === undefined || parameter === undefined || !path.startsWith(start) || path === start) continue;
    return matched(route, { [parameter]: path.slice(start.length) });
  }
  return undefined;
}

/** The parameters of a path with `{name}` segments, decoded as API Gateway decodes them; undefined where it does not fit. */
function parametersOf(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const [, name] = /^\{(\w+)\}$/.exec(segment) ?? [];
    if (name === undefined) {
      if (segment !== given[i]) return undefined;
    } else parameters[name] = decoded(given[i] ?? '');
  }
  return Object.keys(parameters).length > 0 ? parameters : undefined;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
