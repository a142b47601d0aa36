import { execFile, spawnSync } from 'node:child_process';
import { Jar } from './jar.ts';

/** How a printed curl line is answered: the status, and all that curl would print. */
export type CurlAnswer = { status: number; text: string };

export type RunCurl = (line: string) => Promise<CurlAnswer>;

/** True where this machine has curl. */
export const hasCurl = (): boolean => spawnSync('curl', ['--version']).status === 0;

/** Pastes the line into a shell. */
export const pasted: RunCurl = (line) =>
  new Promise((resolve, reject) => {
    execFile('bash', ['-c', line], (error, text) =>
      error ? reject(error) : resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text }),
    );
  });

/** Reads the line as curl would, as far as the printed ones use it; the browser is what stands behind `-b` and `-c`. */
export function parsed(browser: Jar): RunCurl {
  return async (line) => {
    const [, ...words] = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    const headers: Record<string, string> = {};
    let method: string | undefined;
    let body: string | undefined;
    let url = '';
    let withJar = false;
    for (let word = words.shift(); word !== undefined; word = words.shift()) {
      if (!word.startsWith('-')) url = word;
      else if (word === '-s' || word === '-i') continue;
      else {
        const value = words.shift() ?? '';
        if (word === '-X') method = value;
        else if (word === '-d') body = value;
        else if (word === '-u') headers.authorization = `Basic ${Buffer.from(value).toString('base64')}`;
        else if (word === '-A') headers['user-agent'] = value;
        else if (word === '-b') withJar = true;
        else if (word === '-H')
          headers[value.slice(0, value.indexOf(':'))] = value.slice(value.indexOf(':') + 1).trim();
        else if (word !== '-c' && word !== '-D' && word !== '-o') throw new Error(`what does curl do with ${word}?`);
      }
    }
    method ??= body === undefined ? 'GET' : 'POST';
    const answer = await (withJar ? browser : new Jar()).fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
    });
    const fields = [...answer.headers].map(([name, value]) => `${name}: ${value}\n`).join('');
    return { status: answer.status, text: `${fields}\n${await answer.text()}` };
  };
}
