import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PURPOSES } from '../../domain/purposes.ts';
import { transparencyFile } from '../../local/docs-privacy/documents.ts';
import { PAGE_FILES, pageFor, startPreferences } from '../../local/preferences-server.ts';
import config from '../../paula.config.ts';

const FOLDER = join(import.meta.dirname, '../../web/preferences');
const file = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const html = file('index.html');
const transparency = JSON.parse(transparencyFile(config));

type State = { ticked: Record<string, boolean>; send: Record<string, boolean> | undefined };
type Action = { type: 'tick'; purpose: string; ticked: boolean } | { type: 'save' | 'accept_all' | 'refuse_all' };
type Model = {
  pickLanguage(query: string, documentLanguage?: string): string;
  initial(data: unknown, purposes?: Record<string, boolean>): State;
  clicked(state: State, action: Action): State;
  lacksStorage(state: State): boolean;
  consentBody(choices: Record<string, boolean>, data: unknown, language: string): string;
  choiceOutcome(status: number, body: unknown): string;
  rightOutcome(right: string, status: number): string;
  deadlineText(outcome: string, body: unknown, language: string): string;
};
type Texts = Record<'de' | 'en', Record<string, string> & { names: Record<string, string> }>;
type View = {
  purposeElements(...args: unknown[]): FakeElement[];
  aboutElements(...args: unknown[]): FakeElement[];
};

// The page's own files are for browsers and have no types; the specifiers are computed so that tsc does not look for some.
const load = async (name: string): Promise<unknown> => import(join(FOLDER, name));
const model = (await load('model.js')) as Model;
const view = (await load('view.js')) as View;
const { TEXTS } = (await load('texts.js')) as { TEXTS: Texts };

/** As much of an element as the view uses. */
class FakeElement {
  readonly attributes: Record<string, string> = {};
  readonly children: (FakeElement | string)[] = [];
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  setAttribute(key: string, value: string): void {
    this.attributes[key] = value;
  }
  append(...content: (FakeElement | string)[]): void {
    this.children.push(...content);
  }
  get text(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.text)).join('');
  }
  all(name: string): FakeElement[] {
    const inner = this.children.flatMap((child) => (typeof child === 'string' ? [] : child.all(name)));
    return this.name === name ? [this, ...inner] : inner;
  }
}
const fakeDocument = { createElement: (name: string) => new FakeElement(name) };

describe('the choices of the page', () => {
  const page = PURPOSES.filter((purpose) => purpose !== 'email');

  /** The fewest clicks that send a choice, from a state that shows another: each click is tried. */
  function clicksTo(wanted: Record<string, boolean>, from: Record<string, boolean>): number {
    const same = (sent: State['send']) =>
      sent !== undefined && page.every((purpose) => sent[purpose] === wanted[purpose]);
    let reached = [model.initial(transparency, from)];
    for (let clicks = 1; clicks <= page.length + 1; clicks++) {
      const next: State[] = [];
      for (const state of reached) {
        const ticks = page.map((purpose): Action => ({ type: 'tick', purpose, ticked: !state.ticked[purpose] }));
        const actions: Action[] = [{ type: 'save' }, { type: 'accept_all' }, { type: 'refuse_all' }, ...ticks];
        for (const action of actions) {
          const after = model.clicked(state, action);
          if (same(after.send)) return clicks;
          next.push(after);
        }
      }
      // States that show the same are one.
      reached = [...new Map(next.map((state) => [JSON.stringify(state.ticked), state])).values()];
    }
    throw new Error('no way');
  }

  const none = Object.fromEntries(page.map((purpose) => [purpose, false]));
  const all = Object.fromEntries(page.map((purpose) => [purpose, true]));

  it('refuse everything by as many clicks as they accept it: one', () => {
    expect(clicksTo(all, none)).toBe(1);
    expect(clicksTo(none, all)).toBe(1);
    expect(clicksTo(none, none)).toBe(1);
  });

  it('withdraw each purpose by no more clicks than giving it', () => {
    for (const purpose of page) {
      const given = { ...none, [purpose]: true };
      expect(clicksTo(given, none)).toBe(2);
      expect(clicksTo(none, given)).toBe(1);
      expect(clicksTo({ ...all, [purpose]: false }, all)).toBeLessThanOrEqual(2);
    }
  });

  it('begin with what is in force, and with nothing where nothing is', () => {
    expect(model.initial(transparency).ticked).toEqual(none);
    expect(model.initial(transparency, { storage: true, email: true }).ticked).toEqual({ ...none, storage: true });
  });

  it('send every switch with the text that was shown', () =>
    expect(JSON.parse(model.consentBody(all, transparency, 'en'))).toEqual({
      purposes: all,
      notice: { version: '2026-11', language: 'en' },
    }));

  it('say where a tick has no effect without recognising the browser', () => {
    expect(model.lacksStorage(model.initial(transparency, { profile: true }))).toBe(true);
    expect(model.lacksStorage(model.initial(transparency, { profile: true, storage: true }))).toBe(false);
    expect(model.lacksStorage(model.initial(transparency))).toBe(false);
  });
});

describe('what the page says', () => {
  it('is in the language of the query, else of the document', () => {
    expect(model.pickLanguage('?lang=en', 'de')).toBe('en');
    expect(model.pickLanguage('', 'en-GB')).toBe('en');
    expect(model.pickLanguage('?lang=fr', 'fr')).toBe('de');
  });

  it('tells of every answer', () => {
    expect(model.choiceOutcome(200, {})).toBe('saved');
    expect(model.choiceOutcome(400, { errors: [{ path: 'notice.version' }] })).toBe('stale');
    expect(model.choiceOutcome(0, undefined)).toBe('failed');
    const outcomes = [
      ['access', 200, 'accessReady'],
      ['access', 202, 'accessTaken'],
      ['access', 401, 'nobody'],
      ['access', 503, 'failed'],
      ['objection', 200, 'objected'],
      ['erasure', 202, 'erased'],
      ['erasure', 0, 'failed'],
    ] as const;
    for (const [right, status, outcome] of outcomes) {
      expect(model.rightOutcome(right, status)).toBe(outcome);
      for (const language of ['de', 'en'] as const) expect(TEXTS[language][outcome]).toMatch(/\w{4}/);
    }
    const body = { request: { deadline: '2026-12-24T10:00:00.000Z' } };
    expect(model.deadlineText('erased', body, 'de')).toBe('24. Dezember 2026');
    expect(model.deadlineText('objected', body, 'de')).toBe('');
    expect(model.deadlineText('failed', undefined, 'de')).toBe('');
  });

  it('has the same keys in both languages, for every purpose and every right', () => {
    const keys = (value: unknown): unknown =>
      typeof value === 'string'
        ? 'text'
        : Object.fromEntries(Object.entries(value as object).map(([name, inner]) => [name, keys(inner)]));
    expect(keys(TEXTS.en)).toEqual(keys(TEXTS.de));
    expect(Object.keys(TEXTS.de.names)).toEqual([...PURPOSES]);
    const rights = transparency.rights.map(({ right }: { right: string }) => right);
    expect(Object.keys(TEXTS.de.rights as unknown as object)).toEqual(rights);
  });

  it('shows each purpose with its text, and a labelled switch only where the page can give it', () => {
    for (const language of ['de', 'en'] as const) {
      const ticked = { storage: true };
      const made = view.purposeElements(fakeDocument, transparency, TEXTS[language], language, ticked);
      expect(made).toHaveLength(PURPOSES.length);
      for (const [i, purpose] of PURPOSES.entries()) {
        const part = made[i] as FakeElement;
        expect(part.text).toContain(config.purposes[purpose].notice.text[language]);
        const [input] = part.all('input');
        if (purpose === 'email') {
          expect(input).toBeUndefined();
          continue;
        }
        const [label] = part.all('label');
        expect(label?.attributes.for).toBe(input?.attributes.id);
        expect(label?.text).toBe(TEXTS[language].names[purpose]);
        const described = part.all('p').map(({ attributes }) => attributes.id);
        expect(described).toContain(input?.attributes['aria-describedby']);
        expect('checked' in (input?.attributes ?? {})).toBe(purpose === 'storage');
      }
    }
  });

  it('names the controller, the recipients, the rights and that no price depends on the profile', () => {
    const text = view.aboutElements(fakeDocument, transparency, TEXTS.en, 'en').map((made) => made.text);
    expect(text).toContain(config.brand.controller);
    expect(text.join(' ')).toMatch(/nobody .*Prices and contracts do not depend on it/);
    expect(text.join(' ')).toMatch(/GDPR Art\. 15 and 20/);
  });
});

describe('the HTML', () => {
  const tags = (name: string) => [...html.matchAll(new RegExp(`<${name}\\b[^>]*>`, 'g'))].map(([tag]) => tag);
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];

  it('has a language, one heading of the first order, landmarks, a fieldset with a legend and a live region', () => {
    expect(attribute(tags('html')[0] ?? '', 'lang')).toBe('de');
    for (const name of ['h1', 'header', 'main', 'fieldset', 'legend']) expect(tags(name)).toHaveLength(1);
    expect(html).toMatch(/<p id="status" role="status" tabindex="-1">/);
  });

  it('labels every input, and sections by their headings', () => {
    for (const input of tags('input')) expect(html).toContain(`<label for="${attribute(input, 'id')}"`);
    for (const section of tags('section')) expect(html).toContain(`<h2 id="${attribute(section, 'aria-labelledby')}"`);
    const ids = [...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refuses and accepts by equal buttons, refusal first, and by real ones', () => {
    const group = /<div class="choices">([\s\S]*?)<\/div>/.exec(html)?.[1] ?? '';
    const buttons = [...group.matchAll(/<button\b[^>]*>/g)].map(([tag]) => tag);
    expect(buttons.map((tag) => attribute(tag, 'id'))).toEqual(['refuse-all', 'accept-all', 'save']);
    for (const tag of tags('button')) {
      expect(attribute(tag, 'type')).toMatch(/^(button|submit)$/);
      expect(tag).not.toMatch(/\b(class|style)=/);
    }
    // No rule of the style sheet knows one button from another.
    expect(file('preferences.css')).not.toMatch(/#(refuse|accept)|button\.|button\[|:nth/);
  });

  it('shows the right to object before and apart from the choices', () => {
    expect(html.indexOf('id="objection-title"')).toBeLessThan(html.indexOf('id="choices"'));
    expect(html.indexOf('id="objection-title"')).toBeGreaterThan(0);
  });

  it('loads nothing from elsewhere and runs nothing inline', () => {
    for (const name of Object.keys(PAGE_FILES)) expect(file(name)).not.toMatch(/https?:|["'(]\/\//);
    expect(html).not.toMatch(/\son\w+=|style=|<style|javascript:/);
    for (const script of tags('script')) expect(script).toBe('<script type="module" src="page.js">');
    expect(html).toContain('<script type="module" src="page.js"></script>');
    expect(file('page.js') + file('view.js')).not.toMatch(
      /innerHTML|document\.cookie|localStorage|sessionStorage|eval/,
    );
  });

  it('says in German, without the module, what the texts say', () => {
    const flat = (text: string) => text.replace(/\s+/g, ' ').trim();
    const places = [...html.matchAll(/<(\w+)\b[^>]*\bdata-text="(\w+)"[^>]*>([^<]*)<\/\1>/g)];
    expect(places.length).toBe(html.match(/data-text=/g)?.length);
    for (const [, , key = '', text = ''] of places) expect([key, flat(text)]).toEqual([key, TEXTS.de[key]]);
  });

  it('has colours that contrast: 4.5 to 1 for text, 3 to 1 for what frames it (WCAG 2.2)', () => {
    const css = file('preferences.css');
    const colour = (name: string) => new RegExp(`--${name}: #([0-9a-f]{6});`).exec(css)?.[1] ?? '';
    const luminance = (hex: string) => {
      const channel = (i: number) => {
        const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4);
    };
    const contrast = (a: string, b: string) => {
      const [dark = 0, light = 0] = [luminance(colour(a)), luminance(colour(b))].sort((x, y) => x - y);
      return (light + 0.05) / (dark + 0.05);
    };
    for (const [text, ground] of [
      ['ink', 'paper'],
      ['quiet', 'paper'],
      ['ink', 'notice'],
      ['button-ink', 'button'],
      ['focus', 'paper'],
    ] as const)
      expect(contrast(text, ground)).toBeGreaterThanOrEqual(4.5);
    expect(contrast('line', 'paper')).toBeGreaterThanOrEqual(3);
    expect(contrast('focus', 'notice')).toBeGreaterThanOrEqual(3);
    expect(css).toMatch(/:focus-visible \{\s+outline: 3px/);
  });
});

describe('the page on this machine', () => {
  it('is served with its collector filled in, and asks for nothing but that and itself', async () => {
    expect(pageFor(html, 'http://localhost:8080')).toContain(
      '<meta name="collector" content="http://localhost:8080" />',
    );
    const served = await startPreferences(config, 0, 'http://localhost:8080');
    try {
      const url = `http://127.0.0.1:${served.port}`;
      const page = await fetch(`${url}/?lang=en`);
      expect(page.headers.get('content-security-policy')).toMatch(
        /default-src 'none';.*connect-src 'self' http:\/\/localhost:8080;/,
      );
      expect(await page.text()).toBe(pageFor(html, 'http://localhost:8080'));
      for (const [name, type] of Object.entries(PAGE_FILES))
        expect((await fetch(`${url}/${name}`)).headers.get('content-type')).toBe(type);
      expect(await (await fetch(`${url}/transparency.json`)).json()).toEqual(transparency);
      for (const path of ['/nothing', '/../package.json', '/%2e%2e/package.json'])
        expect((await fetch(`${url}${path}`)).status).toBe(404);
      expect((await fetch(`${url}/`, { method: 'POST' })).status).toBe(405);
    } finally {
      await served.stop();
    }
  });
});
