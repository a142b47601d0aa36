import { setTimeout as pause } from 'node:timers/promises';
import type { ReplayMessage } from './message.ts';

/** Messages under way at once; the platform shares two cores with its sender. */
const CONCURRENCY = 32;
/** How far sending may run ahead of the oldest unanswered message: what a resumed replay sends again at most. */
const WINDOW = 256;

export type Answer = { status: number; rejected: readonly string[] };

export type Delivery = {
  /** Sends one message; throws where the platform cannot be reached. */
  post: (message: ReplayMessage) => Promise<Answer>;
  /** Called for every answer, in any order. */
  onAnswer: (message: ReplayMessage, answer: Answer) => void;
  /** Called as the prefix of answered messages grows. */
  onPrefix: (answered: number) => void;
  /** Milliseconds to wait before a message is sent. */
  delay: (message: ReplayMessage) => number;
};

/** Sends messages side by side, one person's in file order: the next after the answer to the last. */
export async function deliver(messages: AsyncIterable<ReplayMessage>, from: number, delivery: Delivery): Promise<void> {
  const lastOf = new Map<string, Promise<void>>();
  const underWay = new Set<Promise<void>>();
  const answered = new Set<number>();
  let prefix = from;
  let index = from;
  let failure: unknown;

  const settle = (number: number): void => {
    answered.add(number);
    while (answered.delete(prefix)) prefix++;
    delivery.onPrefix(prefix);
  };

  for await (const message of messages) {
    while (failure === undefined && (underWay.size >= CONCURRENCY || index - prefix >= WINDOW))
      await Promise.race(underWay);
    if (failure !== undefined) break;
    const wait = delivery.delay(message);
    if (wait > 0) await pause(wait);
    const number = index++;
    const before = lastOf.get(message.person) ?? Promise.resolve();
    const sending = before
      .then(async () => {
        if (failure !== undefined) return;
        delivery.onAnswer(message, await delivery.post(message));
        settle(number);
      })
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => {
        underWay.delete(sending);
        if (lastOf.get(message.person) === sending) lastOf.delete(message.person);
      });
    underWay.add(sending);
    lastOf.set(message.person, sending);
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure;
}
