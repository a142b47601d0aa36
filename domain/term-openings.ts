/** Letters that tell whether a text can hold a term at all. */
const OPENING_LETTERS = 3;

/** Places in the table of openings: five bits for each letter. */
const TABLE_SIZE = 1 << (5 * OPENING_LETTERS);

/** For each sequence of letters, 1 where a term can begin with it. */
export type Openings = Uint8Array;

const UMLAUTS: Readonly<Record<string, readonly string[]>> = {
  ä: ['a', 'ae'],
  ö: ['o', 'oe'],
  ü: ['u', 'ue'],
  ß: ['ss'],
};

/**
 * The letters with which the terms of `special-categories.ts` can begin, whatever stands between them. Throws for a term
 * that can be shorter, or is written in a way that is not known here.
 */
export function openingsOf(terms: readonly string[]): Openings {
  const table = new Uint8Array(TABLE_SIZE);
  for (const term of terms) {
    for (const letters of beginnings(term)) {
      if (letters.length < OPENING_LETTERS)
        throw new Error(`the term "${term}" has fewer than ${OPENING_LETTERS} letters`);
      let place = 0;
      for (let i = 0; i < letters.length; i++) place = (place << 5) | (letters.charCodeAt(i) & 31);
      table[place] = 1;
    }
  }
  return table;
}

/**
 * False where no term can be in the text: none of them begins with any of its letters. Costs a small part of a look for the
 * terms themselves. True for every text with escapes or other scripts, whose letters are not its readers'.
 */
export function mayHoldTerm(text: string, openings: Openings): boolean {
  let place = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const letter = (code | 32) - 96;
    if (letter > 0 && letter <= 26 && code >= 65) {
      place = ((place << 5) | letter) & (TABLE_SIZE - 1);
      if (openings[place]) return true;
    } else if (code > 126 || code < 32 || code === 37 || code === 38 || code === 92) return true;
  }
  return false;
}

type Parsed = { sets: string[]; at: number };

const beginnings = (term: string): string[] => alternatives(term, 0).sets;

/** Reads `a|b|c` up to a closing bracket or the end. */
function alternatives(term: string, from: number): Parsed {
  const sets: string[] = [];
  for (let at = from; ; ) {
    const read = sequence(term, at);
    sets.push(...read.sets);
    if (term[read.at] !== '|') return { sets, at: read.at };
    at = read.at + 1;
  }
}

/** Reads what follows each other; each part adds to every beginning that is still too short. */
function sequence(term: string, from: number): Parsed {
  let sets = [''];
  let at = from;
  while (at < term.length && term[at] !== '|' && term[at] !== ')') {
    const read = part(term, at);
    const optional = term[read.at] === '?';
    at = optional ? read.at + 1 : read.at;
    const parts = optional ? ['', ...read.sets] : read.sets;
    sets = [
      ...new Set(sets.flatMap((set) => (set.length < OPENING_LETTERS ? parts.map((next) => cut(set + next)) : set))),
    ];
  }
  return { sets, at };
}

const cut = (letters: string): string => letters.slice(0, OPENING_LETTERS);

function part(term: string, at: number): Parsed {
  const char = term[at] as string;
  if (char === '^' || char === '$' || char === ' ') return { sets: [''], at: at + 1 };
  if (char === '[') {
    const end = term.indexOf(']', at);
    return { sets: [...term.slice(at + 1, end)].flatMap((letter) => lettersOf(letter)), at: end + 1 };
  }
  if (char === '(') {
    const open = /^\(\?(?::|!|<!|=)/.exec(term.slice(at))?.[0];
    if (open === undefined) throw new Error(`the term "${term}" has a bracket of another kind`);
    const read = alternatives(term, at + open.length);
    // What a lookaround sees is no part of the term.
    return { sets: open === '(?:' ? read.sets : [''], at: read.at + 1 };
  }
  return { sets: [...lettersOf(char)], at: at + 1 };
}

function lettersOf(char: string): readonly string[] {
  if (/^[a-z]$/.test(char)) return [char];
  const spelt = UMLAUTS[char];
  if (!spelt) throw new Error(`"${char}" has no meaning in a term`);
  return spelt;
}
