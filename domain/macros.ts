/** Placeholders that an ad server should have filled in: `${NAME}`, `%%NAME%%`, `[NAME]`, `{{NAME}}`. */
const UNEXPANDED = /^(?:\$\{[^}]*\}|%%.+%%|\[[^\]]*\]|\{\{[^}]*\}\})$/;

/** The characters that begin and end them, percent-encoded up to three times: by ad servers that wrap one URL in another. */
const ENCODED = /%(?:25){0,2}(24|25|5B|5D|7B|7D)/gi;

const DOLLAR = 36;
const PERCENT = 37;
const BRACKET = 91;
const BRACE = 123;

/** True for a value that is an unexpanded macro as a whole: it says nothing and is treated as empty. */
export const isUnexpandedMacro = (value: string): boolean => {
  const first = value.charCodeAt(0);
  if (first === PERCENT) return UNEXPANDED.test(value) || UNEXPANDED.test(value.replace(ENCODED, decoded));
  return (first === DOLLAR || first === BRACKET || first === BRACE) && UNEXPANDED.test(value);
};

const decoded = (_match: string, code: string): string => String.fromCharCode(Number.parseInt(code, 16));
