import { IN_IDS, redact } from '../../domain/redact.ts';
import { hostileTexts, worstTexts } from './hostile-texts.ts';
import type { Target } from './target.ts';

/** Between two generated texts stands one with personal data in it, which has to be found whatever came before. */
const CONTROL = 'write to paula.muster@example.com or +49 171 1234567, DE89370400440532013000, 203.0.113.9';
const CONTROL_FINDS = 'email,phone,iban,ip';

/** Redaction of texts and of ids: never throws, finds nothing more in its own result, keeps nothing of one call for the next. */
export function redactionTarget(random: () => number): Target {
  const texts = hostileTexts(random);
  return {
    name: 'redaction',
    feed: (round) => {
      const text = texts.next().value as string;
      const { text: clean, found } = redact(text);
      const again = redact(clean).found;
      if (again.length > 0) throw new Error(`left ${again} behind in ${JSON.stringify(text)}`);
      redact(text, IN_IDS);
      if (round % 100 === 0) checkControl();
      return found.length === 0 ? 'nothing to redact' : 'redacted';
    },
    worst: (length) =>
      new Map([...worstTexts(length)].map(([name, text]) => [name, () => redact(` ${text}`.slice(1)).found.length])),
  };
}

function checkControl(): void {
  const found = [...new Set(redact(CONTROL).found)];
  const missed = CONTROL_FINDS.split(',').filter((kind) => !found.some((hit) => hit === kind));
  if (missed.length > 0) throw new Error(`the control's ${missed} is no longer found`);
}
