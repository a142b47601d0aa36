/** Placeholders that an ad server should have filled in: `${NAME}`, `%%NAME%%`, `[NAME]`, `{{NAME}}`, also percent-encoded. */
const UNEXPANDED = /^(?:\$\{[^}]*\}|%%.+%%|\[[^\]]*\]|\{\{[^}]*\}\})$/;

/** True for a value that is an unexpanded macro as a whole: it says nothing and is treated as empty. */
export const isUnexpandedMacro = (value: string): boolean => {
  const first = value.charCodeAt(0);
  return (first === 36 || first === 37 || first === 91 || first === 123) && UNEXPANDED.test(value);
};
