import type { PaulaConfig } from './config.ts';

export type RoutedFunction = 'collect' | 'decide' | 'rights';

/** `signed`: only for callers whose AWS Signature Version 4 the gateway has verified (IAM). */
export type Door = { method: string; path: string; function: RoutedFunction; signed?: true };

/** The doors. API Gateway's routes, their throttles and the local door are all made from this list. */
export function routes(config: PaulaConfig): readonly Door[] {
  return [
    { method: 'GET', path: config.pixelPath, function: 'collect' },
    { method: 'GET', path: '/click', function: 'collect' },
    { method: 'POST', path: '/v1/track', function: 'collect' },
    { method: 'POST', path: '/v1/page', function: 'collect' },
    { method: 'POST', path: '/v1/identify', function: 'collect' },
    { method: 'POST', path: '/v1/batch', function: 'collect' },
    { method: 'GET', path: '/v1/consent', function: 'collect' },
    { method: 'PUT', path: '/v1/consent', function: 'collect' },
    { method: 'GET', path: '/v1/decision', function: 'decide' },
    { method: 'POST', path: '/v1/decision', function: 'decide' },
    { method: 'GET', path: '/v1/me', function: 'rights' },
    { method: 'POST', path: '/v1/me/objection', function: 'rights' },
    { method: 'POST', path: '/v1/me/erasure', function: 'rights' },
    { method: 'POST', path: '/v1/persons/{id}/export', function: 'rights', signed: true },
    { method: 'POST', path: '/v1/persons/{id}/objection', function: 'rights', signed: true },
    { method: 'POST', path: '/v1/persons/{id}/erasure', function: 'rights', signed: true },
    { method: 'GET', path: '/v1/requests/{id}', function: 'rights', signed: true },
    { method: 'OPTIONS', path: '/v1/{proxy+}', function: 'collect' },
  ];
}
