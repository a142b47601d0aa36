/** The page without a document: languages, choices and what answers mean. Everything here is a pure function. */

const LANGUAGES = ['de', 'en'];

/** The language of the page: the query's, else the document's own; the first that there are texts for. */
export function pickLanguage(query, documentLanguage) {
  const wanted = [new URLSearchParams(query).get('lang'), documentLanguage?.slice(0, 2), ...LANGUAGES];
  return wanted.find((language) => LANGUAGES.includes(language));
}

/** The purposes that the page has a switch for; the others need a confirmation that no page can give. */
export const switchable = (transparency) => transparency.purposes.filter(({ givenBy }) => givenBy === 'page');

/** The state of the page: what is ticked, and what to send now, if anything. */
export const initial = (transparency, purposes = {}) => ({
  ticked: Object.fromEntries(switchable(transparency).map(({ purpose }) => [purpose, purposes[purpose] === true])),
  send: undefined,
});

/**
 * What one click makes of the state: `tick` a purpose or not, `save` what is ticked, or give or refuse everything, which
 * saves at once. The two last are one click each, so that refusing and withdrawing take no more than consenting.
 */
export function clicked({ ticked }, action) {
  switch (action.type) {
    case 'tick':
      return { ticked: { ...ticked, [action.purpose]: action.ticked }, send: undefined };
    case 'save':
      return { ticked, send: ticked };
    default: {
      const all = Object.fromEntries(Object.keys(ticked).map((purpose) => [purpose, action.type === 'accept_all']));
      return { ticked: all, send: all };
    }
  }
}

/** True where something is ticked that has no effect, since the browser may not be recognised. */
export const lacksStorage = ({ ticked }) => !ticked.storage && Object.values(ticked).some(Boolean);

/** The body of `PUT /v1/consent`: every switch, and the text that was shown. */
export const consentBody = (choices, transparency, language) =>
  JSON.stringify({ purposes: choices, notice: { version: transparency.notice.version, language } });

/** What the answer to a choice means: `saved`, `stale` where another text is in force by now, else `failed`. */
export function choiceOutcome(status, body) {
  if (status === 200) return 'saved';
  const paths = (body?.errors ?? []).map(({ path }) => path);
  return status === 400 && paths.includes('notice.version') ? 'stale' : 'failed';
}

/** What the answer of a right's call means, by the right. 401 says that the browser holds no cookie of ours. */
export function rightOutcome(right, status) {
  if (status === 401) return 'nobody';
  if (right === 'access') return { 200: 'accessReady', 202: 'accessTaken' }[status] ?? 'failed';
  if (status !== 200 && status !== 202) return 'failed';
  return right === 'objection' ? 'objected' : 'erased';
}

/** By when a request that is not done yet will be, as a date in the page's language; else empty. */
export const deadlineText = (outcome, body, language) =>
  ['accessTaken', 'erased'].includes(outcome) && body?.request?.deadline
    ? new Date(body.request.deadline).toLocaleDateString(language, { dateStyle: 'long', timeZone: 'UTC' })
    : '';
