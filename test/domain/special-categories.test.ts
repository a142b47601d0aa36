import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSpecialTerm, specialCategoryFinder } from '../../domain/special-categories.ts';
import config from '../../paula.config.ts';
import { readSqlTexts } from '../../sql/sql-texts.ts';

const find = specialCategoryFinder();

describe('special categories', () => {
  it.each([
    ['health', ['Akne', 'Akne-Pflege', 'Spätakne', 'Aknereiniger', 'acne-prone skin', 'bacne', 'Antiaknecreme']],
    ['health', ['Rosacea', 'Rosacea-Haut', 'Couperose', 'Neurodermitis', 'Neurodermitispflege', 'neuro_dermitis']],
    ['health', ['Psoriasis', 'Schuppenflechte', 'SCHUPPEN-FLECHTE', 'Handekzem', 'atopische Haut', 'Dermatitis']],
    ['health', ['Haarausfall', 'haar_ausfall_30d', 'haarAusfall', 'hair loss', 'HairLoss', 'hair-loss', 'Alopezie']],
    ['health', ['Schwangerschaft', 'Schwangerschafts-Öl', 'schwangere', 'pregnancy', 'Stillzeit', 'Kinderwunsch']],
    ['health', ['Menopause', 'Ménopause', 'Perimenopause', 'Wechseljahre', 'Wechsel-Jahre', 'Hitzewallungen', 'PMS']],
    ['health', ['Allergie', 'Pollenallergie', 'Allergiker', 'allergic skin', 'allergy', 'Laktoseintoleranz']],
    ['health', ['Fußpilz', 'Fusspilz', 'Warzen', 'Krampfadern', 'Hautkrebs', 'Krebspatientinnen', 'HIV-positiv']],
    ['health', ['Diabetiker-Fußcreme', 'Depression', 'Asthma', 'Migräne', 'Erkrankung', 'Behinderung', 'geimpft']],
    ['health', ['Übergewicht', 'Uebergewicht', 'Ubergewicht', 'U\u0308bergewicht', '%C3%9Cbergewicht']],
    ['ethnic_origin', ['Hautfarbe', 'dunkle Haut', 'dark skin tone', 'Afro-Haar', 'skin of colour', 'ethnicity']],
    ['religion', ['halal', 'koschere Kosmetik', 'muslimische Frauen', 'Jewish', 'Religion', 'christlich']],
    ['politics', ['SPD-Wähler', 'political views', 'Parteimitglied', 'rechtsextrem']],
    ['trade_union', ['Gewerkschaft', 'ver.di-Mitglieder', 'trade union']],
    ['genetics', ['Gentest', 'DNA-Test', 'genetisch']],
    ['biometrics', ['biometrisch', 'Gesichtserkennung', 'facial recognition']],
    ['sex_life', ['gay', 'lesbisch', 'LGBTQ', 'Transgender', 'Kondome', 'sexual orientation', 'Empfängnisverhütung']],
  ])('%s is told by %j', (category, texts) => {
    for (const text of texts) expect({ text, category: find(text)?.category }).toEqual({ text, category });
  });

  it.each([
    // Words that only hold the letters.
    ...['Lacknerei', 'Lakner', 'Rosaceae', 'McNeill', 'Schwarze Maske', 'Potenzial', 'Sehnsucht', 'Beschimpfung'],
    ...['ausschlaggebend', 'Unfallverhütung', 'aller Giganten', 'kunden_aller_giganten', 'datatopic', 'Lesbos'],
    ...['Glatzer', 'Frankreich', 'Wunderheilung', 'Beehive Honey', 'auswählen', 'bald wieder da', 'Periode 2026'],
    // What cosmetics say of every product, or of its origin, colour and occasion.
    ...['hypoallergen', 'hypoallergenic', 'Allergy Tested', 'allergiegetestet', 'Dermatologisch getestet'],
    ...['Apothekenkosmetik', 'Aromatherapie', 'Hair Therapy', 'trockene Haut', 'sensitive skin', 'Anti-Aging', 'vegan'],
    ...['dunkle Hautflecken', 'dark skin spots', 'black hair', 'hautfarben', 'African Black Soap', 'skin tone'],
    ...['Christian Dior', 'Christmas', 'Ostern', 'Geburtstag', 'Kopftuch', 'Roma', 'grün', 'Pride Collection'],
    ...['DNA Repair Serum', 'Epigenetic Serum', 'Orgasm Blush', 'Dior Addict', 'non-alcoholic', 'Sodium Lactate'],
    ...['styling aids', 'Produkt-Voting', 'Cellulite', 'Sonnenbrand', 'Intimpflege', 'Make-up/Lips', ''],
  ])('%j tells of none', (text) => expect(find(text)).toBeUndefined());

  it('are told by the same term in every case, with separators, invisible and compatibility characters', () => {
    const disguises: ((text: string) => string)[] = [
      (text) => text.toUpperCase(),
      (text) => text.replace(/ /g, '_'),
      (text) => text.replace(/ /g, ''),
      (text) => [...text].join('\u00ad'),
      (text) => text.replace(/[a-z]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)),
      encodeURIComponent,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom('neuro dermitis', 'haar ausfall', 'wechsel jahre', 'hair loss', 'psoriasis', 'rosacea'),
        fc.constantFrom(...disguises),
        fc.stringMatching(/^([a-z]{1,8}[ /_-])?$/),
        (term, disguise, before) => expect(find(before + disguise(term))?.category).toBe('health'),
      ),
    );
  });

  it('name the words that told them', () => {
    expect(find('Pflege bei Neurodermitis')).toEqual({ category: 'health', term: 'neurodermit' });
  });

  it('are extended by terms of the configuration, at either end of a word', () => {
    const extended = specialCategoryFinder(['Hühneraugen weg', 'Nagelhaut']);
    for (const text of ['Nagelhautpflege', 'Problem-Nagelhaut', 'huehneraugen WEG', 'Hühneraugen-Weg'])
      expect({ text, found: extended(text)?.category }).toEqual({
        text,
        found: 'configured',
      });
    expect(extended('Nagelhautpflege')).toEqual({ category: 'configured', term: 'nagelhaut' });
    expect(extended('Akne')?.category).toBe('health');
    expect(extended('Nagel und Haut')).toBeUndefined();
    expect(find('Nagelhautpflege')).toBeUndefined();
  });

  it('take as terms of the configuration only words that not every text has', () => {
    expect(['Hühneraugen', 'foot care', 'Haut'].map(isSpecialTerm)).toEqual([true, true, true]);
    expect(['', ' ', '30', 'Öl', 'a-b-c', 'уход'].map(isSpecialTerm)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('are told by no segment and no plan that ships', () => {
    const { segments } = readSqlTexts();
    const texts = segments.flatMap(({ id, name, description, sql }) => [
      id,
      name.de,
      name.en,
      description.de,
      description.en,
      sql,
    ]);
    const names = [...Object.keys(config.trackingPlan.fields), ...Object.keys(config.trackingPlan.events)];
    expect([...texts, ...names].map((text) => find(text)).filter((found) => found)).toEqual([]);
  });

  it('are answered alike however often they are asked, with more texts in between than are kept', () => {
    const asked = specialCategoryFinder();
    const texts = ['Akne', 'Pflege', 'Allergie', 'Lacknerei', `Akne ${'x'.repeat(200)}`];
    const first = texts.map(asked);
    expect(first.map((found) => found?.category)).toEqual(['health', undefined, 'health', undefined, 'health']);
    for (let i = 0; i < 25_000; i++) asked(`Pflege ${i}`);
    expect(texts.map(asked)).toEqual(first);
    expect(texts.map(asked)).toEqual(first);
  });

  it('are read from any text without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) =>
        ['undefined', 'object'].includes(typeof find(text)),
      ),
    );
  });
});
