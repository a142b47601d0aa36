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

/** Ends a server and the connections that clients keep open. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
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
