import { SignJWT } from 'jose';
import type { Keys } from '../../domain/keys.ts';
import { signedHeaders } from '../rights/signature-v4.ts';
import type { SigningKey } from '../rights/signing-key.ts';
import type { Ask } from './browser.ts';

const TOKEN_SECONDS = 300;

/** The shop's server: it sends orders, signs identity tokens, and asks for its customers' rights. */
export class BrandServer {
  readonly #url: string;
  readonly #keys: Keys;
  readonly #signing: SigningKey;
  readonly #region: string;
  readonly #ask: Ask;

  constructor(url: string, keys: Keys, signing: SigningKey, region: string, ask: Ask = fetch) {
    this.#ask = ask;
    this.#url = url;
    this.#keys = keys;
    this.#signing = signing;
    this.#region = region;
  }

  /** A Segment message under the write key of a source. */
  async send(source: string, path: string, body: Record<string, unknown>, expected = 200): Promise<void> {
    const [key = ''] = this.#keys.writeKeys[source] ?? [];
    const response = await this.#ask(`${this.#url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
      },
      body: JSON.stringify(body),
    });
    if (response.status !== expected) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  async identityToken(customer: string, site: string): Promise<string> {
    const [key] = this.#keys.identity[site] ?? [];
    if (!key) throw new Error(`"${site}" has no identity key`);
    return new SignJWT()
      .setProtectedHeader({ alg: 'HS256', kid: key.id })
      .setSubject(customer)
      .setAudience(site)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(Buffer.from(key.key, 'base64url'));
  }

  /** A signed call; returns the request that it answers with. */
  async ask(method: 'GET' | 'POST', path: string): Promise<{ id: string; state: string }> {
    return (JSON.parse(await this.#signed(method, path)) as { request: { id: string; state: string } }).request;
  }

  /** The bundle of an access request, as JSON text. */
  bundle(id: string): Promise<string> {
    return this.#signed('GET', `/v1/requests/${id}?format=json`);
  }

  async #signed(method: 'GET' | 'POST', path: string): Promise<string> {
    const url = `${this.#url}${path}`;
    const headers = await signedHeaders({ method, url }, this.#signing, this.#region, Date.now());
    const response = await this.#ask(url, { method, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`);
    return text;
  }
}
