import { CONSENT_COOKIE, ID_COOKIE } from '../../domain/consent-cookie.ts';
import { PURPOSES } from '../../domain/purposes.ts';

/** How a request is sent. */
export type Ask = (url: string, init: RequestInit) => Promise<Response>;

/** A browser with a jar for the door's cookies, on a page of the shop. */
export class ProofBrowser {
  readonly #url: string;
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();
  readonly #ask: Ask;

  /** `ask` sends the requests; another than fetch where the door's name is not that of its address. */
  constructor(url: string, origin: string, cookies: ReadonlyMap<string, string> = new Map(), ask: Ask = fetch) {
    this.#ask = ask;
    this.#url = url;
    this.#origin = origin;
    for (const [name, value] of cookies) this.#cookies.set(name, value);
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies;
  }

  /** The id cookie; '' where the door has set none. */
  get id(): string {
    return this.#cookies.get(ID_COOKIE) ?? '';
  }

  /** Gives every consent there is. */
  async consent(): Promise<void> {
    const purposes = Object.fromEntries(PURPOSES.map((purpose) => [purpose, true]));
    await this.send('PUT', '/v1/consent', { purposes });
    if (this.id === '' || !this.#cookies.has(CONSENT_COOKIE)) throw new Error('the door has set no cookies');
  }

  /** Sends a request and keeps the cookies of the answer. Throws for an answer that is none of `expected`. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    expected: readonly number[] = [200, 202, 302],
  ): Promise<unknown> {
    const response = await this.#ask(`${this.#url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        origin: this.#origin,
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!expected.includes(response.status))
      throw new Error(`${method} ${path.split('?', 1)[0]}: ${response.status} ${await response.text()}`);
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (cookie.includes('Max-Age=0')) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return isJson && text !== '' ? JSON.parse(text) : text;
  }
}
