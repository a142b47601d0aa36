import { MAX_HEAD_BYTES } from '../api-gateway.ts';
import type { Chance } from './chance.ts';
import { type Draft, type FuzzRequest, type Kind, render } from './draft.ts';
import { oddBody, oddJson, oddText } from './odd-values.ts';
import type { Senders } from './senders.ts';
import { VALID_REQUESTS } from './valid-requests.ts';

/** Shares of the three kinds; the rest is random. The acceptance wants 30 % mutated and 20 % accepted at least. */
const VALID = 0.22;
const MUTATED = 0.43;

/** Routes as often as they are drawn: the pixel is most of a real door's traffic. */
const DRAWN: readonly string[] = [...Object.keys(VALID_REQUESTS), 'GET pixel', 'GET pixel', 'POST /v1/track'];

/** Makes the next request of a run. */
export function nextRequest(senders: Senders, chance: Chance): FuzzRequest {
  const draw = chance.below(1000) / 1000;
  if (draw >= VALID + MUTATED) return render(randomDraft(senders, chance), 'random');
  const base = chance.pick(DRAWN);
  const draft: Draft = { base, ...(VALID_REQUESTS[base] as (typeof VALID_REQUESTS)[string])(senders, chance) };
  let kind: Kind = 'valid';
  if (draw >= VALID) {
    kind = 'mutated';
    for (let times = 1 + chance.below(3); times > 0; times--) chance.pick(MUTATIONS)(draft, senders, chance);
  }
  return render(draft, kind);
}

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'OPTIONS', 'HEAD', 'DELETE', 'PATCH', 'PROPFIND'];
const PATHS: readonly string[] = [
  '/',
  '/p.gif',
  '/click',
  '/v1/track',
  '/v1/page',
  '/v1/identify',
  '/v1/batch',
  '/v1/consent',
  '/v1/decision',
  '/v1/anything',
  '/favicon.ico',
  '/v1/../p.gif',
  '//p.gif',
  '/%70.gif',
];
const HEADERS: readonly string[] = [
  'Origin',
  'Authorization',
  'Cookie',
  'Referer',
  'User-Agent',
  'Content-Type',
  'Content-Encoding',
  'X-Forwarded-For',
  'Accept',
  '__proto__',
  'constructor',
];

function randomDraft({ config }: Senders, chance: Chance): Draft {
  const path = chance.yes(0.3) ? config.pixelPath : chance.yes(0.2) ? `/${oddText(chance)}` : chance.pick(PATHS);
  const method = path === config.pixelPath && chance.yes(0.7) ? 'GET' : chance.pick(METHODS);
  const parameters = [...PARAMETERS, 'x', ''];
  return {
    base: 'random',
    method,
    path,
    query: Array.from({ length: chance.below(8) }, () => [chance.pick(parameters), oddText(chance)]),
    headers: [
      ['Host', 'localhost'],
      ...Array.from({ length: chance.below(5) }, (): [string, string] => [chance.pick(HEADERS), oddText(chance)]),
    ],
    ...(method !== 'GET' && method !== 'HEAD' && { body: oddBody('{"event":"x","properties":{}}', chance) }),
  };
}

const PARAMETERS: readonly string[] = (
  'e site c pl cr p cat v cu q o mid gdpr ' +
  'gdpr_consent gpp gpp_sid cb to product category campaign placements __proto__ constructor toString hasOwnProperty'
).split(' ');

type Mutation = (draft: Draft, senders: Senders, chance: Chance) => void;

/** One change each to a request that was valid. */
const MUTATIONS: readonly Mutation[] = [
  replaceValue,
  replaceValue,
  function addParameter({ query }, _senders, chance) {
    query.push([chance.pick(PARAMETERS), oddText(chance)]);
  },
  function dropParameter({ query }, _senders, chance) {
    query.splice(chance.below(query.length + 1), 1);
  },
  function repeatParameters({ query }, _senders, chance) {
    for (let i = chance.below(300); i > 0; i--) query.push([chance.pick(PARAMETERS), String(i)]);
  },
  function breakEncoding(draft, _senders, chance) {
    const query = new URLSearchParams(draft.query).toString();
    const broken = chance.pick([
      '%',
      '%zz',
      '%c3%28',
      '&&&',
      '=',
      '===&',
      '?',
      '+',
      '%00',
      '%u0041',
      ';',
      '#',
      'ä',
      'x'.repeat(9000),
    ]);
    const at = chance.below(query.length + 1);
    draft.rawQuery = query.slice(0, at) + broken + query.slice(at);
  },
  function fillHead(draft, _senders, chance) {
    // To the byte: as much as API Gateway admits, or one more.
    const filler = { ...draft, headers: [...draft.headers, ['X-Filler', 'f'] as [string, string]] };
    const { method, target, rawHeaders } = render(filler, 'mutated');
    const head = rawHeaders.reduce((sum, text) => sum + text.length + 2, method.length + target.length + 14);
    const room = MAX_HEAD_BYTES - head;
    if (room > 0) draft.headers.push(['X-Filler', 'f'.repeat(1 + room + chance.pick([-1, 0, 0, 1, 1, 5000]))]);
  },
  function changeMethod(draft, _senders, chance) {
    draft.method = chance.pick(METHODS);
  },
  function changePath(draft, _senders, chance) {
    draft.path = chance.pick([`${draft.path}/`, `/${draft.path}`, draft.path.toUpperCase(), chance.pick(PATHS)]);
  },
  changeHeader,
  changeHeader,
  changeCookie,
  changeJson,
  changeJson,
  changeJson,
  function changeBody(draft, _senders, chance) {
    if (draft.json === undefined && chance.yes(0.8)) return;
    draft.body = oddBody(draft.json === undefined ? '{}' : JSON.stringify(draft.json), chance);
  },
];

function replaceValue({ query }: Draft, _senders: Senders, chance: Chance): void {
  const parameter = query[chance.below(query.length)];
  if (parameter) parameter[1] = oddText(chance);
}

function changeHeader(draft: Draft, _senders: Senders, chance: Chance): void {
  const at = chance.below(draft.headers.length);
  const [name] = draft.headers[at] ?? [];
  if (name === undefined || name === 'Host') return;
  if (chance.yes(0.3)) draft.headers.splice(at, 1);
  else if (chance.yes(0.2)) draft.headers.push([name, oddText(chance)]);
  else if (name === 'Origin')
    draft.headers[at] = [name, chance.pick(['null', 'https://evil.example', '', oddText(chance)])];
  else if (name === 'Content-Type')
    draft.headers[at] = chance.pick<[string, string]>([
      [name, 'application/x-www-form-urlencoded'],
      [name, 'application/octet-stream'],
      [name, 'application/json; charset=utf-16'],
      ['Content-Encoding', 'gzip'],
    ]);
  else if (name === 'Authorization')
    draft.headers[at] = [
      name,
      chance.pick(['Basic', 'Basic !!!!', 'Bearer x', `Basic ${chance.bytes(40).toString('base64')}`]),
    ];
  else draft.headers[at] = [name, oddText(chance)];
}

function changeCookie({ headers }: Draft, { browsers }: Senders, chance: Chance): void {
  const cookies = chance.pick(browsers).cookie.split('; ');
  const others = chance.pick(browsers).cookie.split('; ');
  const [consent = ''] = cookies;
  const flipped = consent.slice(0, -1) + (consent.endsWith('A') ? 'B' : 'A');
  const value = chance.pick([
    () => [consent, others[1] ?? 'paula_id=x'].join('; '),
    () => [flipped, ...cookies.slice(1)].join('; '),
    () => `paula_id=${chance.bytes(16).toString('base64url')}; ${others.join('; ')}`,
    () =>
      `paula_consent=${chance.pick(['', 'v1', 'v1...', '....', 'v1.zz.zz.', 'v2.0.0.x', 'v1.-1.-1.', oddText(chance)])}; paula_id=`,
    () => Array.from({ length: chance.below(400) }, (_, i) => `c${i}=v`).join('; '),
    () => ';;; ;=;==; paula_id ; paula_consent',
  ])();
  headers.push([chance.pick(['Cookie', 'cookie']), value]);
}

/** Replaces, adds or takes out one value, at any depth of the body. */
function changeJson(draft: Draft, _senders: Senders, chance: Chance): void {
  const places: { holder: Record<string, unknown>; name: string }[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      places.push({ holder: value as Record<string, unknown>, name });
      collect(inner);
    }
  };
  collect(draft.json);
  const place = places[chance.below(places.length)];
  if (!place) return;
  if (chance.yes(0.25)) delete place.holder[place.name];
  else if (chance.yes(0.15)) define(place.holder, oddText(chance), oddJson(chance));
  else define(place.holder, place.name, oddJson(chance));
}

/** `__proto__` too is to be a name like any other. */
const define = (holder: object, name: string, value: unknown): unknown =>
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
