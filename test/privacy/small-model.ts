import type { Purpose } from '../../domain/purposes.ts';

type Purposes = ReadonlySet<Purpose>;
type Choice = { subject: string; at: number; granted: Purposes };
type ModelEvent = { subject: string; at: number; granted: Purposes; name: string };
type Link = { device: string; person: string; at: number };

/** What a browser has: the device of its id cookie, and what its choice cookie says. */
type Tab = { device: string | undefined; granted: Purposes };

/**
 * What the stores must hold, said by sets and times and nothing else: every event that came in under a purpose counts for it
 * unless its subject had taken the purpose back by then, or does so later. It knows no queue, no version and no position.
 */
export class SmallModel {
  readonly choices: Choice[] = [];
  readonly events: ModelEvent[] = [];
  readonly links: Link[] = [];
  /** When somebody was put into an audience. */
  readonly published: { subject: string; at: number }[] = [];
  readonly tabs = new Map<string, Tab>();
  #devices = 0;

  tab(browser: string): Tab {
    return this.tabs.get(browser) ?? { device: undefined, granted: new Set() };
  }

  choose(browser: string, granted: Purposes, at: number): void {
    const { device } = this.tab(browser);
    if (granted.has('storage')) {
      const subject = device ?? this.#newDevice();
      this.#record(subject, granted, at);
      this.tabs.set(browser, { device: subject, granted });
    } else {
      if (device !== undefined) this.#record(device, new Set(), at);
      this.tabs.set(browser, { device: undefined, granted: new Set() });
    }
  }

  choosePerson(person: string, granted: Purposes, at: number): void {
    this.#record(person, granted, at);
  }

  /** An event of the browser as a tab has it, which may be an old one. */
  see({ device, granted }: Tab, name: string, at: number): void {
    if (device !== undefined && granted.has('storage')) this.#happen(device, granted, name, at);
  }

  /** A server's message of a person, with the purposes that it claims. */
  tell(person: string, granted: Purposes, name: string, at: number): void {
    const open = new Set([...granted].filter((purpose) => !this.isTakenBack(person, purpose, at)));
    this.#happen(person, open, name, at);
  }

  identify(browser: string, person: string, at: number): void {
    const { device, granted } = this.tab(browser);
    if (device === undefined || !granted.has('identity_merge') || this.isTakenBack(person, 'identity_merge', at))
      return;
    const current = this.personOf(device, at);
    const subject = current === undefined || current === person ? device : this.#newDevice();
    if (subject !== device) {
      this.#record(subject, granted, at);
      this.tabs.set(browser, { device: subject, granted });
    }
    if (current !== person) this.links.push({ device: subject, person, at });
    this.see({ device: subject, granted }, 'Identified', at);
  }

  /** The person of a device at a time: a link ends when either of the two takes back what it stands on. */
  personOf(device: string, at: number): string | undefined {
    return this.links.find(
      (link) =>
        link.device === device &&
        link.at <= at &&
        !this.#takesBack(device, 'storage', link.at, at) &&
        !this.#takesBack(device, 'identity_merge', link.at, at) &&
        !this.#takesBack(link.person, 'identity_merge', link.at, at),
    )?.person;
  }

  /** The purposes for which an event counts in the end. */
  counting({ subject, granted, at }: Pick<ModelEvent, 'subject' | 'granted' | 'at'>): Purposes {
    return new Set(
      [...granted].filter(
        (purpose) => !this.isTakenBack(subject, purpose, at) && !this.#takesBack(subject, purpose, at, Infinity),
      ),
    );
  }

  /** The events that make a subject's profile. */
  folded(of: string): ModelEvent[] {
    return this.events.filter((event) => event.subject === of && this.#opens(event, 'profile'));
  }

  /** The purposes of each row of the lake, by the time of receipt, which no two events share. */
  rows(): Map<number, readonly Purpose[]> {
    const rows = this.events.filter((event) => this.#opens(event, 'measurement'));
    return new Map(rows.map((event) => [event.at, [...this.counting(event)].sort()]));
  }

  isInAudience(of: string): boolean {
    const needs = new Set<Purpose>(isPerson(of) ? ['profile'] : ['storage', 'profile']);
    return this.published.some(
      ({ subject, at }) => subject === of && this.counting({ subject, at, granted: needs }).size === needs.size,
    );
  }

  receipts(of: string): Purposes[] {
    return this.choices.filter(({ subject }) => subject === of).map(({ granted }) => granted);
  }

  /** True where a purpose that the subject once gave is not in its last choice. */
  isTakenBack(subject: string, purpose: Purpose, at: number): boolean {
    const said = this.choices.filter((choice) => choice.subject === subject && choice.at <= at);
    return said.some(({ granted }) => granted.has(purpose)) && said.at(-1)?.granted.has(purpose) === false;
  }

  /** True where a choice after one time and up to another takes the purpose back. */
  #takesBack(subject: string, purpose: Purpose, after: number, until: number): boolean {
    return this.choices.some(
      (choice) =>
        choice.subject === subject &&
        choice.at > after &&
        choice.at <= until &&
        this.isTakenBack(subject, purpose, choice.at),
    );
  }

  #opens(event: ModelEvent, purpose: Purpose): boolean {
    const counting = this.counting(event);
    return counting.has(purpose) && (isPerson(event.subject) || counting.has('storage'));
  }

  #happen(subject: string, granted: Purposes, name: string, at: number): void {
    if (granted.has('measurement') || granted.has('profile')) this.events.push({ subject, at, granted, name });
  }

  /** The same choice again is no new one. */
  #record(subject: string, granted: Purposes, at: number): void {
    const last = this.receipts(subject).at(-1);
    if (last === undefined || last.size !== granted.size || [...granted].some((purpose) => !last.has(purpose)))
      this.choices.push({ subject, at, granted });
  }

  #newDevice(): string {
    return `device ${this.#devices++}`;
  }
}

const isPerson = (subject: string): boolean => subject.startsWith('person');
