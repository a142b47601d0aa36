import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { PaulaConfig } from '../domain/config.ts';
import { transparencyFile } from './docs-privacy/documents.ts';
import { close, type Engine, listen } from './loopback.ts';

const FOLDER = join(import.meta.dirname, '../web/preferences');

/** The files of the page; nothing else of the folder or the disk can be asked for. */
export const PAGE_FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'preferences.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'model.js': 'text/javascript; charset=utf-8',
  'view.js': 'text/javascript; charset=utf-8',
  'texts.js': 'text/javascript; charset=utf-8',
};

const PLACEHOLDER = '<meta name="collector" content="" />';

/** The page as a brand would host it: with the address of its collector filled in. */
export const pageFor = (html: string, collector: string): string =>
  html.replace(PLACEHOLDER, PLACEHOLDER.replace('""', JSON.stringify(collector)));

/**
 * Serves the preference page on the loopback for a collector (an origin, such as http://localhost:8080), as a brand's site
 * would. It takes GET alone and asks the browser to load and call nothing but itself and the collector.
 */
export async function startPreferences(config: PaulaConfig, port: number, collector: string): Promise<Engine> {
  const files = new Map(
    Object.entries(PAGE_FILES).map(([name, type]) => [name, { type, body: readFileSync(join(FOLDER, name), 'utf8') }]),
  );
  const html = files.get('index.html');
  if (html) html.body = pageFor(html.body, collector);
  files.set('transparency.json', { type: 'application/json', body: transparencyFile(config) });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = files.get(pathname === '/' ? 'index.html' : pathname.slice(1));
    if (request.method !== 'GET' || !file) {
      response.writeHead(request.method === 'GET' ? 404 : 405).end();
      return;
    }
    response.writeHead(200, {
      'content-type': file.type,
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${collector}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    response.end(file.body);
  });
  const taken = await listen(server, port);
  return { port: taken, endpoint: `http://localhost:${taken}`, stop: () => close(server) };
}
