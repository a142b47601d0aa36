import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Everything the local platform opens is bound here: it has no users but those of this machine. */
export const LOOPBACK = '127.0.0.1';

/** A running part: where it answers, and how to end it. */
export type Engine = { port: number; endpoint: string; stop(): Promise<void> };

/** Binds a server to a port of the loopback (0 picks a free one) and returns the port; rejects when it is occupied. */
export function listen(server: Server, port: number, host: string = LOOPBACK): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** How often a closing server lets go of connections whose last request has been answered meanwhile, in milliseconds. */
const IDLE_CHECK_MS = 20;

/**
 * Ends a server once the requests under way are answered. node closes only the connections that are idle at first and
 * would wait for the others' keep-alive. `how` is the closing itself where the server has replaced its own.
 */
export function close(server: Server, how: Server['close'] = server.close): Promise<void> {
  const timer = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  return new Promise((resolve, reject) => {
    how.call(server, (error) => {
      clearInterval(timer);
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * dynalite and kinesalite throw from the request's `error` event, so a client that hangs up in the middle of a request
 * ends the process. Their listeners are taken over and that event is replaced by one that lets the request go.
 */
export function surviveAbortedRequests(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    for (const listener of listeners) listener.call(server, request, response);
    request.removeAllListeners('error');
    request.on('error', () => response.destroy());
  });
}
