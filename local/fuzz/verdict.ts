import type { Answer } from './answer.ts';

/**
 * `accepted`: something was stored or decided. `rejected`: it was judged and found wrong. `refused`: it was not judged,
 * for who sent it, where to, how long it was, or because the platform could not take it and said so. Else it has failed.
 */
export type Verdict = 'accepted' | 'rejected' | 'refused' | 'failed';

const GIF_BYTES = 43;

/** True for the pixel's one answer. */
export const isGif = ({ status, headers, body }: Answer): boolean =>
  status === 200 && headers['content-type'] === 'image/gif' && body.length === GIF_BYTES;

/** Classifies an answer. `rejections` says how many events the door counted as rejected or refused meanwhile. */
export function verdictOf(answer: Answer, rejections: number): Verdict {
  const { status } = answer;
  // A pixel's answer is the same whatever became of its event, and so is a click's.
  if (isGif(answer) || status === 302) return rejections > 0 ? 'rejected' : 'accepted';
  if (status === 200 || status === 204) return 'accepted';
  // The gateway's own 400, for what is no HTTP, has no errors to list.
  if (status === 400)
    return answer.body.includes('"errors"') || answer.body.includes('"rejected"') ? 'rejected' : 'refused';
  if (status === 503 && answer.headers['retry-after'] !== undefined) return 'refused';
  return [401, 403, 404, 413, 431].includes(status) ? 'refused' : 'failed';
}
