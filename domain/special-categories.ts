import { plainText } from './plain-text.ts';
import { mayHoldTerm, openingsOf } from './term-openings.ts';

/** What GDPR Art. 9(1) protects; `configured` is what the configuration adds to it. */
export const SPECIAL_CATEGORIES = [
  'health',
  'ethnic_origin',
  'religion',
  'politics',
  'trade_union',
  'genetics',
  'biometrics',
  'sex_life',
  'configured',
] as const;

export type SpecialCategory = (typeof SPECIAL_CATEGORIES)[number];

/** Which special category a text tells of, and the part of it that does, in the normal form of `normal`. */
export type SpecialFind = { category: SpecialCategory; term: string };

/** Tells of which special category a text speaks; `undefined` where of none. */
export type SpecialCategoryFinder = (text: string) => SpecialFind | undefined;

/**
 * The terms, German and English, as a cosmetics brand meets them (CJEU C-184/20 and C-21/23: what lets infer such data is
 * such data). Each is the source of a pattern over the normal form: `^` and `$` stand for the begin and the end of a word,
 * so a term without them also counts within a compound; a blank may be missing; an umlaut may be written as its vowel with
 * or without e. What has an innocent double has a lookaround or a boundary, and a case in the test.
 */
const TERMS: Readonly<Record<Exclude<SpecialCategory, 'configured'>, readonly string[]>> = {
  health: [
    // Skin and hair. Rosaceae are the family of the rose.
    ...[
      '(?<!c)akne(?!r[ns]?$)',
      '^acne',
      'acne$',
      '^anti acne',
      'rosacea(?!e)',
      'rosazea',
      'couperose',
      'neuro dermit',
    ],
    ...['dermatiti', '^atopi', 'ekzem', 'eczema', 'psoria', 'schuppen flechte', 'seborr', 'vitiligo', 'melasma'],
    ...['chloasma', 'keloid', 'urtikaria', 'urticaria', 'nessel sucht', 'haut ausschl', '^skin rash'],
    ...['juck reiz', 'prurit', 'ichthyos', 'sklerodermi', 'scleroderma', 'melanom', 'hyper hidros', 'hirsuti'],
    ...['übermässig(?:e[smn]?)? schwitz', '^excessive sweat', 'lip ödem', 'lymph ödem', '^lipedema', '^lymphedema'],
    ...['haar ausfall', 'haar verlust', '^hair loss', '^hair fall$', '^hair thinning', '^thinning hair', 'alope[cz]'],
    ...['^glatze(?!r)', '^balding', '^baldness', 'kahl köpf', 'haar transplant', '^hair transplant'],
    ...['herpes', '^fieber bläs', '^cold sore', '^warze', 'dorn warze', 'feig warze', '^warts?$', 'fuss pilz'],
    ...['nagel pilz', 'haut pilz', 'pilz infekt', '^fungal', 'mykose', 'candidos', '^krätze', 'scabies', '^läuse'],
    ...['kopf läus', '^head lice', '^wund (?:heil|versorg|salb|behand)', '^wound (?:care|heal)', 'krampf ader'],
    ...['varicos', 'varikos', 'hämorrhoid', 'hemorrhoid'],
    // Pregnancy, birth, nursing, cycle and menopause. Sodium lactate is an ingredient.
    ...['schwanger', 'pregnan', 'prenatal', 'postnatal', 'post partum', '^maternity', 'mutterschaft', '^stillzeit'],
    ...['^stillend', '^still (?:mütter|mama|tee|bh)', '^breast feed', '^nursing (?:mother|mom|mum|bra)'],
    ...['^lactati(?:ng|on)', 'wochenbett', '^entbindung', '^geburts (?:vorbereit|verletz|hilfe)', '^kinder wunsch'],
    ...['^fertility', '^infertil', '^fruchtbarkeit', '^unfruchtbar', '^ivf$', 'künstliche befruchtung', '^trimester'],
    ...['^umstands mode', '^ovulation', '^eisprung', '^babybauch', '^(?:mom|mum) to be$', 'werdende mütter'],
    ...['^expectant mo', '^fehlgeburt', 'miscarriage', '^abortion', '^abtreibung', 'meno paus', 'wechsel jahr'],
    ...['klimakter', 'climacteri', 'hitze wallung', '^hot flash', '^hot flush', 'menstru', '^regel schmerz', '^pms$'],
    ...['^period (?:pain|cramp)', 'endometri', '^pcos?$'],
    // Allergies. Hypoallergenic says nothing about who buys, nor does a list of allergens.
    ...[
      'allergi(?!e ge(?:test|prüf))',
      'allergy(?! tested)',
      'heu schnupfen',
      '^hay fever',
      'anaphyla',
      'intoleranz',
      'intolerance$',
    ],
    ...['unverträglichkeit', 'zöliakie', '^co?eliac'],
    // Other illness, treatment and disability.
    ...['erkrank', 'krankheit', '^kranke[rn]?$', '^illness', 'disease', '^patient(?:s|in|innen|en)?$', 'diabet'],
    ...['^krebs(?!rot)', 'krebs$', '^cancer', 'cancer$', 'chemo therap', 'onkolog', 'oncolog', 'tumor', 'leukämi'],
    ...[
      'leukemi',
      '^hiv$',
      '^hiv (?:pos|pat|inf|krank|test)',
      '^aids (?:krank|patient|hilfe|infi)',
      'hepatiti',
      'tuberkul',
      'tubercul',
      'covid',
    ],
    ...['^corona (?:infe|erkr|test|positiv)', '^impf(?:ung|stoff|status)', 'geimpft', 'vaccin', 'depressi(?:on|v)'],
    ...['^anxiety', 'angst störung', '^burn out', '^ad hs$', '^ad hd$', '^autis[mt]', 'schizophren', 'ess störung'],
    ...['^eating disorder', 'anorex', 'magersucht', 'bulimi', 'adipositas', '^obes(?:e|ity)', 'über gewicht'],
    ...['^overweight', 'alkoholiker', 'alkohol sucht', '^alcoholism', 'drogen sucht', 'sucht krank', '^drug addict'],
    ...['insomni', 'schlaf störung', '^sleep disorder', 'asthma', 'arthriti', 'arthrose', 'rheuma', '^gicht$'],
    ...['osteopor', 'migrän', 'migraine', 'epileps', 'alzheimer', '^demenz', '^dementia', '^parkinson'],
    ...['multiple s[ck]lero', 'schlag anfall', 'herz (?:krank|infarkt|insuff|leiden)', '^heart (?:dis|att|fail)'],
    ...['blut hoch druck', 'hypertoni', 'hypertension', '^high blood pressure', 'schild drüs', 'thyroid'],
    ...['^hormon (?:ersatz|therap|behand|stör)', '^hormone (?:repl|ther)', 'testosteron', 'inkontinen'],
    ...['incontinen', 'reiz darm', '^crohn', '^morbus', '^colitis', 'erektil', '^erectile', '^impoten[zt]'],
    ...['potenz (?:mittel|stör)', 'medikament', '^medication', '^arznei', '^rezept pflicht', 'verschreibungs pflicht'],
    ...['^prescription', 'behindert', 'behinderung', '^disab(?:led|ilit)', 'gehörlos', 'hör gerät', '^hearing aid'],
    ...['^blut gruppe', '^blood type', 'kranken versicher', 'kranken kasse', '^health (?:condition|data|status|insur)'],
    ...['gesundheits (?:daten|zustand)'],
  ],
  // "Black hair", "dark spots" and "African black soap" are colours and origins of products.
  ethnic_origin: [
    ...['^ethni', 'multi ethni', '^racial', 'bi racial', 'multi racial', '^rassisch', '^afro$'],
    ...['^afro (?:haar|hair|lock|amer|deutsch|europ|carib|karib|text)', '^african (?:americ|skin|hair|desc|origin)'],
    ...['^afrikanische[rs]? (?:haut|haar|herk|abst)', '^black (?:skin|wom[ae]n|men$|people|consumer)'],
    ...['^schwarze[rn]? (?:haut|frauen|menschen)', '^dunkle[rn]? haut(?:typ|ton|töne)?(?:en|e|s)?$'],
    ...['^dark skin(?:ned|s)?$(?! (?:spot|circle|patch))', '^asian (?:skin|wom[ae]n|consumer|desc|origin)'],
    ...['^asiatische[rs]? (?:haut|haar|herk|abst|frauen)', '^arabische[rs]? (?:haut|herk|abst|frauen)'],
    ...['^latin[oax]s?$', '^hispanic', '^caucasian', '^kaukasisch', '^haut farbe$', '^skin colou?r$'],
    ...['^(?:people|wom[ae]n|skin) of colou?r', '^bi poc$', '^poc$', '^fitzpatrick', '^melanin (?:rich|reich)'],
    ...['migrations hintergrund', '^migration background', '^abstammung', '^sinti'],
  ],
  // Dior's first name, Christmas, Easter and a scarf are no belief.
  religion: [
    ...['^muslim', '^moslem', '^islam', '^christlich', '^christentum', '^christianity', '^christians$', '^kathol'],
    ...['^cathol', '^evangelisch', '^protestant', '^orthodoxe? (?:jew|jude|jüd|christ|kirch)', '^jüdisch', '^juden$'],
    ...['^judentum', '^judais', '^jews?$', '^jewish', '^hindu', '^buddhis', '^sikhs?$', '^ramadan', '^halal'],
    ...['^kosc?her', '^hijab', '^hidschab', '^atheis', '^religi(?:on|ös|ous)', '^konfession', '^kirchen (?:steu|mit)'],
    ...['^zeugen jehovas', '^jehovahs? witness', '^mormon', '^ba[rt] mi[tz]', '^(?:erst)?kommunion', '^weltanschau'],
    ...['^philosophical belief', '^glaubens (?:richt|gemein)', '^scientolog'],
  ],
  politics: [
    ...['^politisch', '^political', '^partei (?:mitgl|präf|anh)', '^party member', '^republicans?$', '^democrats?$'],
    ...['^(?:cdu|csu|spd|afd|fdp|grünen?|linken?) (?:wähl|mitgl|anhäng|voter)', '^voters?$'],
    ...['^wähler(?:$|in|schaft|gruppe)', 'rechts extrem', 'links extrem', 'rechts radikal', 'links radikal'],
    ...['^wahl verhalten', '^gesinnung'],
  ],
  trade_union: ['gewerkschaft', '^trade union', '^labou?r union', '^union member', '^ver di mitgl', '^ig metall'],
  // A serum that repairs DNA, or calls itself epigenetic, is none.
  genetics: [
    ...['^gen (?:test|analy|defekt|profil)', '^genetic', '^genetisch', '^dn[as] (?:test|analy|profil)', '^erb krank'],
    ...['^hereditary'],
  ],
  biometrics: [
    ...['^biometri', 'gesichts erkennung', '^fac(?:e|ial) recogn', '^finger abdr(?:u|ü)ck', '^iris (?:scan|erkenn)'],
    ...['^voice print'],
  ],
  sex_life: [
    ...['^schwul', '^lesb(?:isch|en?$|ian)', '^gays?$', '^queer', 'bi sexu', 'homo sex', 'hetero sex', '^lgbt'],
    ...['^trans (?:gender|sex|frau|mann|ident)', '^asexu', '^inter sex', '^sexual(?:ität|ity|leben)'],
    ...['^sexu(?:elle|al) (?:orient|ident|vorl|pref|gesund|health)', '^sex (?:toy|spielz|life|leben)', '^vibrator'],
    ...['^gleit (?:gel|mittel)', '^kondom', '^condom', '^verhütung', '^contracept', 'empfängnis verhüt'],
    ...['^anti baby pille', '^birth control', '^libido', '^erotik', '^erotic', '^fetisch', '^fetish$', '^bdsm'],
    ...['^swinger'],
  ],
};

/** The normal form's pattern of a term. */
const sourceOf = (term: string): string =>
  term
    .replace(/ä/g, 'ae?')
    .replace(/ö/g, 'oe?')
    .replace(/ü/g, 'ue?')
    .replace(/ /g, ' ?')
    .replace(/\^/g, ' ')
    .replace(/\$/g, '(?= )');

/** A term of the configuration counts where a word begins or ends with it. */
function sourcesOfExtra(term: string): string[] {
  const words = normal(term).trim().replace(/ /g, ' ?');
  return [` ${words}`, `${words}(?= )`];
}

/** Fewer letters begin or end too many words. */
const FEWEST_LETTERS = 4;

/** True for words that can be a term of the configuration: of Latin letters, and enough of them. */
export const isSpecialTerm = (term: string): boolean => normal(term).replaceAll(' ', '').length >= FEWEST_LETTERS;

/** Escapes of a page's path, compatibility characters and what is invisible are undone before the words are read. */
const ASCII = /^[ -$'-[\]-~]*$/;

/**
 * A text's words in lower case, with a blank around each: escapes undone, `camelCase` parted, umlauts as two letters, other
 * marks gone, all that is no letter a blank.
 */
function normal(text: string): string {
  if (ASCII.test(text)) return wordsOf(text.replace(/([a-z])(?=[A-Z])/g, '$1 ').toLowerCase());
  const letters = plainText(text)
    .replace(/(\p{Ll})(?=\p{Lu})/gu, '$1 ')
    .toLowerCase()
    .replace(/[äöüß]/g, (char) => ({ ä: 'ae', ö: 'oe', ü: 'ue' })[char] ?? 'ss');
  return wordsOf(letters.normalize('NFD').replace(/\p{M}/gu, ''));
}

const wordsOf = (lowerCase: string): string => ` ${lowerCase.replace(/[^a-z]+/g, ' ')} `;

/**
 * Distinct texts whose answer is kept, a few megabytes: the categories, products, campaigns and paths that a shop has at a
 * time, of those that may hold a term. To judge one costs ten times as much as to find its answer. When full it starts over.
 */
const KEPT_ANSWERS = 20_000;

/** Longer texts are not kept: what repeats is short. */
const LONGEST_KEPT = 100;

/**
 * Makes a finder for the built-in terms and those of the configuration. A term of the configuration is plain words, taken
 * in every case and spelling that `normal` makes one. The finder keeps answers, since the same few texts come again and again.
 */
export function specialCategoryFinder(extraTerms: readonly string[] = []): SpecialCategoryFinder {
  const terms = [
    ...Object.entries(TERMS).flatMap(([category, list]) => list.map((term) => [category, sourceOf(term)] as const)),
    ...extraTerms.flatMap((term) => sourcesOfExtra(term).map((source) => ['configured', source] as const)),
  ];
  const openings = openingsOf([...Object.values(TERMS).flat(), ...extraTerms.map((term) => normal(term).trim())]);
  const any = new RegExp(byFirstLetters(terms.map(([, source]) => source)));
  const answers = new Map<string, SpecialFind | undefined>();

  const judge = (text: string): SpecialFind | undefined => {
    const words = normal(text);
    if (!any.test(words)) return undefined;
    for (const [category, source] of terms) {
      const [match] = new RegExp(source).exec(words) ?? [];
      if (match !== undefined) return { category: category as SpecialCategory, term: match.trim() };
    }
    return undefined;
  };

  return (text) => {
    if (!mayHoldTerm(text, openings)) return undefined;
    if (text.length > LONGEST_KEPT) return judge(text);
    const known = answers.get(text);
    if (known !== undefined || answers.has(text)) return known;
    const found = judge(text);
    if (answers.size >= KEPT_ANSWERS) answers.clear();
    answers.set(text, found);
    return found;
  };
}

/** The alternatives parted by their first two characters: the engine tries them one by one at each place of a text. */
function byFirstLetters(sources: readonly string[], depth = 2): string {
  if (depth === 0 || sources.length === 1) return sources.join('|');
  const groups = Map.groupBy(sources, (source) => /^[ a-z](?!\?)/.exec(source)?.[0] ?? '');
  return [...groups]
    .map(([first, group]) => {
      if (first === '') return group.join('|');
      return `${first}(?:${byFirstLetters(
        group.map((source) => source.slice(1)),
        depth - 1,
      )})`;
    })
    .join('|');
}
