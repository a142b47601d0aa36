import { ID_COOKIE } from '../../domain/consent-cookie.ts';
import { type Door, isLocal } from './exchange.ts';

type Cookie = { value: string; secure: boolean };

/** What a browser keeps of one door: its cookies, and every id cookie that it was ever given, the first one first. */
export class Browser {
  readonly #cookies = new Map<string, Cookie>();
  readonly ids: string[] = [];

  /** A browser that holds copies of this one's cookies; ids stay with the browser that they were given to. */
  copy(): Browser {
    const copied = new Browser();
    for (const [name, cookie] of this.#cookies) copied.#cookies.set(name, cookie);
    return copied;
  }

  /** The Cookie header for a door; empty where there is nothing to send. Secure cookies go over TLS or stay at home. */
  cookieHeader(door: Door): string {
    const url = new URL(door.url);
    const mayHoldSecrets = url.protocol === 'https:' || isLocal(url);
    return [...this.#cookies]
      .filter(([, { secure }]) => !secure || mayHoldSecrets)
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  }

  /** Keeps what the Set-Cookie lines of an answer say; `Max-Age=0` removes. */
  keep(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/;\s*max-age=0\b/i.test(line)) this.#cookies.delete(name);
      else {
        this.#cookies.set(name, { value, secure: /;\s*secure\b/i.test(line) });
        if (name === ID_COOKIE && !this.ids.includes(value)) this.ids.push(value);
      }
    }
  }
}
