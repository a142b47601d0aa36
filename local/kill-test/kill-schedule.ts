import type { FaultPoint } from '../fault-point.ts';

/** The four places in which a crash could lose or double an event. */
export const KILL_KINDS = [
  'profile write and checkpoint',
  'Parquet put and checkpoint',
  'MERGE and release of the lease',
  'PutRecords and answer',
] as const;
export type KillKind = (typeof KILL_KINDS)[number];

/** A kill of the platform: at which point, and after about how many messages of the file. */
export type Kill = { kind: KillKind; point: FaultPoint; at: number };

/** What share of the file the last kill leaves for the platform to end in peace. */
const REST = 0.03;

/**
 * Draws the kills of a replay: as many of each kind, in a random order, one in each of `count` equal stretches of the
 * file, so that they lie all through it. `merges` are the ids of the plan's steps that a kill may follow.
 */
export function drawKills(
  count: number,
  messages: number,
  merges: readonly string[],
  random: () => number,
): readonly Kill[] {
  const kinds = Array.from({ length: count }, (_, i) => KILL_KINDS[i % KILL_KINDS.length] as KillKind);
  shuffle(kinds, random);
  const stretch = (messages * (1 - REST)) / count;
  // Alternating, so that a few kills of the kind are of both sorts: after a MERGE, and after the last step.
  let merged = 0;
  return kinds.map((kind, i) => {
    const at = Math.max(1, Math.floor((i + 0.25 + random() * 0.75) * stretch));
    if (kind !== 'MERGE and release of the lease') return { kind, point: POINTS[kind], at };
    const step = merges[Math.floor(random() * merges.length)];
    merged += 1;
    return { kind, point: merged % 2 === 0 || step === undefined ? 'plan.release' : `plan.step.${step}`, at };
  });
}

const POINTS: Readonly<Record<Exclude<KillKind, 'MERGE and release of the lease'>, FaultPoint>> = {
  'profile write and checkpoint': 'profile.checkpoint',
  'Parquet put and checkpoint': 'land.checkpoint',
  'PutRecords and answer': 'door.answer',
};

function shuffle<T>(items: T[], random: () => number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
}

/** How fast a platform passes its points: messages answered per second, and checkpoints per second of each consumer. */
export type Pace = { messages: number; profile: number; land: number };

/**
 * How often the point must be passed for the kill to come after about `distance` more messages. Exact for the door, which
 * answers each message once; the consumers' windows are times, so theirs follows from the pace. `plansBefore` runs of the
 * plan come before the one that is to be killed.
 */
export function passesUntil(kill: Kill, distance: number, pace: Pace, plansBefore: number): number {
  const seconds = Math.max(0, distance) / pace.messages;
  switch (kill.kind) {
    case 'PutRecords and answer':
      return Math.max(1, distance);
    case 'profile write and checkpoint':
      return Math.max(1, Math.round(seconds * pace.profile));
    case 'Parquet put and checkpoint':
      return Math.max(1, Math.round(seconds * pace.land));
    case 'MERGE and release of the lease':
      return plansBefore + 1;
  }
}
