import type { PaulaConfig } from './config.ts';

export type RoutedFunction = 'collect' | 'decide';

/** The doors. API Gateway's routes, their throttles and the local door are all made from this list. */
export function routes(config: PaulaConfig): readonly { method: string; path: string; function: RoutedFunction }[] {
  return [
    { method: 'GET', path: config.pixelPath, function: 'collect' },
    { method: 'GET', path: '/click', function: 'collect' },
    { method: 'POST', path: '/v1/track', function: 'collect' },
    { method: 'POST', path: '/v1/page', function: 'collect' },
    { method: 'POST', path: '/v1/identify', function: 'collect' },
    { method: 'POST', path: '/v1/batch', function: 'collect' },
    { method: 'PUT', path: '/v1/consent', function: 'collect' },
    { method: 'GET', path: '/v1/decision', function: 'decide' },
    { method: 'OPTIONS', path: '/v1/{proxy+}', function: 'collect' },
  ];
}
