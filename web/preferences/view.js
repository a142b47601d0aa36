import { switchable } from './model.js';

/** An element with attributes and content; texts are set as text, so that nothing in them is taken for markup. */
export function element(document, name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** The purposes with their texts: a switch with its label for each that the page can give, words for the others. */
export function purposeElements(document, transparency, texts, language, ticked) {
  const given = new Set(switchable(transparency).map(({ purpose }) => purpose));
  return transparency.purposes.map((terms) => {
    const { purpose, text, legalBasis, law, retentionDays, fields } = terms;
    const id = `purpose-${purpose}`;
    const kept = `${texts.terms.kept}: ${retentionDays} ${texts.days}.`;
    const basis = `${texts.terms.basis}: ${texts.basis[legalBasis]} (${law.join(', ')}).`;
    const data = fields.length > 0 ? ` ${texts.terms.fields}: ${fields.join(', ')}.` : '';
    const described = [
      element(document, 'p', { id: `${id}-text` }, text[language]),
      element(document, 'p', { class: 'terms' }, `${basis} ${kept}${data}`),
    ];
    if (!given.has(purpose))
      return element(
        document,
        'div',
        { class: 'purpose' },
        element(document, 'p', {}, element(document, 'strong', {}, texts.names[purpose])),
        ...described,
        element(document, 'p', {}, texts.byConfirmation),
      );
    const input = element(document, 'input', {
      type: 'checkbox',
      id,
      name: purpose,
      'aria-describedby': `${id}-text`,
      ...(ticked[purpose] && { checked: '' }),
    });
    const label = element(document, 'label', { for: id }, texts.names[purpose]);
    return element(document, 'div', { class: 'purpose' }, input, label, ...described);
  });
}

/** Who is responsible, who gets data, and how the rights are used. */
export function aboutElements(document, transparency, texts, language) {
  const { controller, recipients, automatedDecisions, rights } = transparency;
  const entry = (title, ...lines) => [
    element(document, 'dt', {}, title),
    ...lines.map((line) => element(document, 'dd', {}, line)),
  ];
  const gets = recipients.map(({ recipient, country, transferMechanism }) =>
    [recipient, country, transferMechanism].join(', '),
  );
  return [
    ...entry(texts.about.controller, controller.name),
    ...entry(texts.about.contact, controller.contact),
    ...entry(texts.about.recipients, ...(gets.length > 0 ? gets : [texts.about.nobody])),
    ...entry(texts.about.decisions, automatedDecisions[language]),
    ...rights.flatMap(({ right, article, how }) => entry(`${texts.rights[right]} (${article})`, how[language])),
  ];
}
