import {
  choiceOutcome,
  clicked,
  consentBody,
  deadlineText,
  initial,
  lacksStorage,
  pickLanguage,
  rightOutcome,
} from './model.js';
import { TEXTS } from './texts.js';
import { aboutElements, purposeElements } from './view.js';

const byId = (id) => document.getElementById(id);
const language = pickLanguage(location.search, document.documentElement.lang);
const texts = TEXTS[language];
const collector = document.querySelector('meta[name="collector"]').content;

/** Calls the collector with the browser's cookies; a call that reaches nobody has status 0. */
const call = (method, path, body) =>
  fetch(`${collector}${path}`, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body,
    credentials: 'include',
  }).catch(() => ({ status: 0 }));

const jsonOf = (answer) => (answer.json ? answer.json().catch(() => undefined) : undefined);

/** Says what came of a click where screen readers hear it, and moves there, so that keyboards find it, too. */
function say(...words) {
  const status = byId('status');
  status.textContent = words.filter(Boolean).join(' ');
  status.focus();
}

function translate() {
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll('[data-text]')) place.textContent = texts[place.dataset.text];
  for (const place of document.querySelectorAll('[data-label]'))
    place.setAttribute('aria-label', texts[place.dataset.label]);
  for (const link of document.querySelectorAll('nav a'))
    if (link.lang === language) link.setAttribute('aria-current', 'true');
}

/** Fills the page and wires the choices; returns what shows the page as of a browser that is unknown. */
async function start() {
  const [transparency, current] = await Promise.all([
    fetch('transparency.json').then((answer) => answer.json()),
    call('GET', '/v1/consent'),
  ]);
  const { purposes = {} } = (current.status === 200 && (await jsonOf(current))) || {};
  let state = initial(transparency, purposes);
  byId('objection-text').textContent = transparency.objection.text[language];
  byId('purposes').append(...purposeElements(document, transparency, texts, language, state.ticked));
  byId('about').append(...aboutElements(document, transparency, texts, language));

  const show = () => {
    for (const [purpose, ticked] of Object.entries(state.ticked)) byId(`purpose-${purpose}`).checked = ticked;
    byId('hint').hidden = !lacksStorage(state);
  };
  const take = async (action) => {
    state = clicked(state, action);
    show();
    if (state.send === undefined) return;
    const answer = await call('PUT', '/v1/consent', consentBody(state.send, transparency, language));
    say(texts[choiceOutcome(answer.status, await jsonOf(answer))]);
  };
  byId('purposes').addEventListener('change', ({ target }) =>
    take({ type: 'tick', purpose: target.name, ticked: target.checked }),
  );
  byId('accept-all').addEventListener('click', () => take({ type: 'accept_all' }));
  byId('refuse-all').addEventListener('click', () => take({ type: 'refuse_all' }));
  byId('choices').addEventListener('submit', (event) => {
    event.preventDefault();
    take({ type: 'save' });
  });
  show();
  return () => {
    state = initial(transparency);
    show();
  };
}

async function use(right, method, path) {
  const answer = await call(method, path);
  const outcome = rightOutcome(right, answer.status);
  if (outcome === 'accessReady') {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await answer.blob());
    link.download = path.endsWith('csv') ? 'data.csv' : 'data.json';
    link.click();
    URL.revokeObjectURL(link.href);
    return say(texts.accessReady);
  }
  if (outcome === 'erased') (await started)?.();
  say(texts[outcome], deadlineText(outcome, await jsonOf(answer), language));
}

translate();
const started = start().catch(() => say(texts.failed));
byId('object').addEventListener('click', () => use('objection', 'POST', '/v1/me/objection'));
byId('copy-json').addEventListener('click', () => use('access', 'GET', '/v1/me?format=json'));
byId('copy-csv').addEventListener('click', () => use('access', 'GET', '/v1/me?format=csv'));
byId('erasure').addEventListener('submit', (event) => {
  event.preventDefault();
  use('erasure', 'POST', '/v1/me/erasure');
});
