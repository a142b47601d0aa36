import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BARE, type WrittenString, writeTcString, writeVendorSegment } from '../../conformance/tcf/written-strings.ts';
import {
  type BrowserQuestion,
  basisOf,
  grantedToBrowser,
  grantedToServer,
  type JudgedSignal,
  judgeSignal,
  refusedInSignal,
} from '../../domain/granted.ts';
import type { LinkItem } from '../../domain/items.ts';
import { PURPOSES, type Purpose } from '../../domain/purposes.ts';
import type { TcfBasis } from '../../domain/tcf-basis.ts';
import { tcSignal } from '../../domain/tcf-signal.ts';
import config from '../../paula.config.ts';

const NOW = Date.UTC(2026, 10, 24);
const VENDOR = 61;
const TCF = { vendorId: VENDOR, registration: { purposes: [1, 3, 4], legIntPurposes: [7], flexiblePurposes: [7] } };
const claiming: BrowserQuestion['purposes'] = {
  ...config.purposes,
  measurement: { ...config.purposes.measurement, legalBasis: 'legitimate_interest' },
};

const vendors = { maxId: VENDOR, ids: [VENDOR] };
function judged(changes: Partial<WrittenString>, tcf = TCF): JudgedSignal {
  const signal = tcSignal({
    gdpr_consent: writeTcString({
      ...BARE,
      vendorConsents: vendors,
      vendorLegitimateInterests: vendors,
      segments: [writeVendorSegment(1, vendors)],
      ...changes,
    }),
  });
  if ('denied' in signal) throw new Error(signal.denied);
  return judgeSignal(signal, tcf, NOW);
}

const all = judged({ purposeConsents: [1, 3, 4, 7], purposeLegitimateInterests: [7] });
const link = (changes: Partial<LinkItem>): LinkItem => ({ pk: 'd.x', sk: 'link', ttl: 0, ...changes });

const ask = (changes: Partial<BrowserQuestion>) =>
  grantedToBrowser({
    own: undefined,
    signal: undefined,
    link: undefined,
    objectsAutomatically: false,
    purposes: config.purposes,
    now: NOW,
    ...changes,
  });

describe('a TC string', () => {
  it.each<[number[], Purpose[]]>([
    [[1], ['storage']],
    [
      [1, 3],
      ['storage', 'profile'],
    ],
    [
      [1, 4],
      ['storage', 'personalisation'],
    ],
    [
      [1, 3, 4],
      ['storage', 'profile', 'personalisation', 'activation'],
    ],
    [[3, 4], []],
  ])('with consent to %j gives %j, and never merge or mail', (purposeConsents, expected) => {
    expect(ask({ signal: judged({ purposeConsents }) }).purposes).toEqual(expected);
  });

  it('gives measurement by purpose 7 on the basis that the string and the registration have', () => {
    const consenting = { ...TCF, registration: { purposes: [1, 7], legIntPurposes: [], flexiblePurposes: [] } };
    const signal = judged({ purposeConsents: [1, 7] }, consenting);
    expect(ask({ signal })).toEqual({
      purposes: ['storage', 'measurement'],
      bySignal: ['storage', 'measurement'],
      onInterest: [],
    });
  });

  it('gives on a legitimate interest what the configuration claims one for, and nothing else', () => {
    expect(ask({ signal: all }).purposes).not.toContain('measurement');
    const granted = ask({ signal: all, purposes: claiming });
    expect(granted.purposes).toContain('measurement');
    expect(granted.onInterest).toEqual(['measurement']);
    expect(basisOf(granted)).toBe('legitimate_interest');
    expect(ask({ signal: all, purposes: claiming, link: link({ objected: NOW }) }).purposes).toEqual(['storage']);
    const chosen = { granted: ['storage', 'measurement'] as const, givenAt: NOW - 1 };
    expect(basisOf(ask({ signal: all, purposes: claiming, own: chosen }))).toBe('consent');
  });

  it('tells what the person has refused from what is denied for other reasons', () => {
    const signal = judged({
      purposeConsents: [3],
      restrictions: [{ purpose: 4, type: 0, entries: [[VENDOR, VENDOR]] }],
    });
    expect(refusedInSignal(signal)).toEqual(['storage', 'measurement']);
    expect(signal.bases.get('activation')).toEqual({ denied: 'purpose_not_allowed' });
    expect(refusedInSignal(judged({ lastUpdated: 0 }))).toEqual([]);
  });
});

describe('an own choice and a string', () => {
  const older = { granted: ['storage', 'identity_merge'] as const, givenAt: all.lastUpdated - 1 };
  const newer = { ...older, givenAt: all.lastUpdated + 1 };
  const refused = { granted: ['measurement'] as const, givenAt: all.lastUpdated + 1 };

  it('give together what either gives', () => {
    const granted = ask({ own: older, signal: all });
    expect(granted.purposes).toEqual(['storage', 'profile', 'personalisation', 'activation', 'identity_merge']);
    expect(granted.bySignal).toEqual(['storage', 'profile', 'personalisation', 'activation']);
  });

  it('of which the later own choice takes back what it does not name', () => {
    expect(ask({ own: newer, signal: all }).purposes).toEqual(['storage', 'identity_merge']);
    expect(ask({ own: refused, signal: all })).toEqual({
      purposes: [],
      bySignal: [],
      onInterest: [],
      refusal: 'own_choice',
    });
    expect(ask({ own: { ...refused, givenAt: all.lastUpdated }, signal: all }).purposes).toContain('storage');
  });
});

describe('what is stored', () => {
  it('denies by a withdrawal that is later than the string and stands', () => {
    const at = all.lastUpdated;
    const with_ = (changes: Partial<LinkItem>) => ask({ signal: all, link: link(changes) });
    expect(with_({ withdrawn: { profile: at + 1 } }).purposes).toEqual(['storage', 'personalisation', 'activation']);
    expect(with_({ withdrawn: { profile: at } }).purposes).toContain('profile');
    expect(with_({ withdrawn: { profile: at + 1 }, regranted: { profile: at + 2 } }).purposes).toContain('profile');
    expect(with_({ withdrawn: { storage: at + 1 } })).toMatchObject({ purposes: [], refusal: 'withdrawn' });
  });

  it('closes by an objection what direct marketing is, whatever was consented to', () => {
    expect(ask({ signal: all, link: link({ objected: NOW }) }).purposes).toEqual(['storage']);
    const own = { granted: PURPOSES, givenAt: NOW - 1 };
    expect(ask({ own, link: link({ objected: NOW }) }).purposes).toEqual([
      'storage',
      'measurement',
      'identity_merge',
      'email_tracking',
    ]);
  });
});

describe('an automated objection', () => {
  it('leaves an own opt-in without activation, and nothing of a string alone', () => {
    const own = { granted: ['storage', 'profile', 'activation'] as const, givenAt: NOW - 1 };
    expect(ask({ own, signal: all, objectsAutomatically: true }).purposes).toEqual(['storage', 'profile']);
    expect(ask({ signal: all, objectsAutomatically: true })).toMatchObject({
      purposes: [],
      refusal: 'automated_objection',
    });
  });
});

describe('a server', () => {
  const server = (changes: Partial<Parameters<typeof grantedToServer>[0]>) =>
    grantedToServer({ choice: undefined, link: undefined, purposes: config.purposes, now: NOW, ...changes });

  it('has what it says was chosen, cut by withdrawal and objection', () => {
    const choice = ['measurement', 'profile', 'email'] as const;
    expect(server({ choice })).toEqual({ purposes: choice, onInterest: [] });
    expect(server({ choice, link: link({ withdrawn: { measurement: 1 } }) }).purposes).toEqual(['profile', 'email']);
    expect(server({ choice, link: link({ objected: 1 }) }).purposes).toEqual(['measurement']);
  });

  it('has without a choice what the configuration claims an interest in, until somebody objects', () => {
    expect(server({}).purposes).toEqual([]);
    const granted = server({ purposes: claiming });
    expect(granted).toEqual({ purposes: ['measurement'], onInterest: ['measurement'] });
    expect(basisOf(granted)).toBe('legitimate_interest');
    expect(server({ purposes: claiming, choice: [] }).purposes).toEqual([]);
    expect(server({ purposes: claiming, link: link({ objected: 1 }) }).purposes).toEqual([]);
    expect(server({ purposes: claiming, link: link({ withdrawn: { measurement: 1 } }) }).purposes).toEqual([]);
  });
});

describe('for every question', () => {
  const time = fc.integer({ min: 0, max: 100 });
  const purposes = fc.subarray([...PURPOSES]);
  const times = fc.dictionary(fc.constantFrom(...PURPOSES), time) as fc.Arbitrary<Partial<Record<Purpose, number>>>;
  const basis = fc.constantFrom<TcfBasis>('consent', 'legitimate_interest', { denied: 'purpose_refused' });
  const signal = fc.record({
    lastUpdated: time,
    bases: fc
      .tuple(basis, basis, basis, basis, basis)
      .map((given) => new Map(PURPOSES.slice(0, given.length).map((purpose, i) => [purpose, given[i] as TcfBasis]))),
  });
  const stored = fc.record({ withdrawn: times, regranted: times, objected: time }, { requiredKeys: [] });
  const question: fc.Arbitrary<BrowserQuestion> = fc.record({
    own: fc.option(fc.record({ granted: purposes, givenAt: time }), { nil: undefined }),
    signal: fc.option(signal, { nil: undefined }),
    link: fc.option(stored.map(link), { nil: undefined }),
    objectsAutomatically: fc.boolean(),
    purposes: fc.constantFrom(config.purposes, claiming),
    now: fc.constant(50),
  });
  const within = (less: BrowserQuestion, more: BrowserQuestion) => {
    const allowed = grantedToBrowser(more).purposes;
    for (const purpose of grantedToBrowser(less).purposes) expect(allowed).toContain(purpose);
  };

  it('an objection, automated or stored, never adds a purpose', () => {
    fc.assert(
      fc.property(question, (asked) => {
        within({ ...asked, objectsAutomatically: true }, { ...asked, objectsAutomatically: false });
        within({ ...asked, link: link({ ...asked.link, objected: 0 }) }, asked);
      }),
    );
  });

  it('a withdrawal never adds a purpose', () => {
    fc.assert(
      fc.property(question, fc.constantFrom(...PURPOSES), time, (asked, purpose, at) => {
        const { [purpose]: _, ...withdrawn } = asked.link?.withdrawn ?? {};
        const without = { ...asked, link: link({ ...asked.link, withdrawn }) };
        within({ ...asked, link: link({ ...asked.link, withdrawn: { ...withdrawn, [purpose]: at } }) }, without);
      }),
    );
  });

  it('a purpose that is refused, in the string or by an own choice, never adds another', () => {
    fc.assert(
      fc.property(question, fc.constantFrom(...PURPOSES), (asked, purpose) => {
        if (asked.signal) {
          const bases = new Map(asked.signal.bases).set(purpose, { denied: 'purpose_refused' });
          within({ ...asked, signal: { ...asked.signal, bases } }, asked);
        }
        if (asked.own) {
          const granted = asked.own.granted.filter((other) => other !== purpose);
          within({ ...asked, own: { ...asked.own, granted } }, asked);
        }
      }),
    );
  });

  it('there is nothing without storage, nothing that nobody gave, and no interest in what was not claimed', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const granted = grantedToBrowser(asked);
        if (granted.purposes.length > 0) expect(granted.purposes).toContain('storage');
        for (const purpose of granted.purposes)
          expect(
            (asked.own?.granted.includes('storage') && asked.own.granted.includes(purpose)) ||
              typeof asked.signal?.bases.get(purpose) === 'string',
          ).toBe(true);
        for (const purpose of granted.bySignal) expect(granted.purposes).toContain(purpose);
        for (const purpose of granted.onInterest)
          expect(asked.purposes[purpose].legalBasis).toBe('legitimate_interest');
      }),
    );
  });
});
