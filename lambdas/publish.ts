import * as z from 'zod';
import type { PublishInput } from '../domain/plan.ts';

export type PublishDeps = {
  /** Keys under a prefix, in no particular order. */
  list(prefix: string): Promise<string[]>;
  /** The lines of a text object, unzipped where its name ends with `.gz`. */
  lines(key: string): AsyncIterable<string>;
  put(key: string, body: string): Promise<void>;
  /** Both may be done twice. */
  enter(profile: string, segment: string): Promise<void>;
  leave(profile: string, segment: string): Promise<void>;
  /** Says up to when the audience is published; `expires` in seconds since the epoch. */
  mark(segment: string, publishedUntil: string, expires: number): Promise<void>;
};

export const PublishRequest: z.ZodType<PublishInput> = z.strictObject({
  segment: z.string().min(1),
  as_of: z.iso.datetime({ precision: 3 }),
  built_at: z.iso.datetime({ precision: 3 }).optional(),
  prefix: z.string().regex(/^unload\/.+\/$/, 'must be a prefix below unload/'),
  lifetime_days: z.int().min(1),
});

/** A line of the difference as `sql/membership/difference.sql` selects it. */
const Change = z.object({ profile_id: z.string().min(1), entered: z.boolean(), activation: z.boolean() });

/** Writes in flight: keeps one function busy on latency, far below what an on-demand table takes at once when new. */
const CONCURRENCY = 32;

const DAY_SECONDS = 86_400;

/**
 * Brings one audience up to its segment: writes the profiles that came or went, the export file
 * `exports/<segment>/<as_of>.ndjson` of the same difference, and the audience's own expiry, which is why a member who
 * stays costs nothing. An entry is exported only with activation consent; a departure always, so that no destination
 * keeps whom we no longer have. A second run after a crash writes the same again. Returns the numbers written.
 */
export async function publish(
  { segment, as_of, built_at, prefix, lifetime_days }: PublishInput,
  deps: PublishDeps,
): Promise<{ entered: number; left: number; exported: number }> {
  const exported: string[] = [];
  const counts = { entered: 0, left: 0 };
  await inParallel(changes(prefix, deps), async ({ profile_id, entered, activation }) => {
    if (entered) await deps.enter(profile_id, segment);
    else await deps.leave(profile_id, segment);
    counts[entered ? 'entered' : 'left'] += 1;
    if (activation || !entered) exported.push(`${JSON.stringify({ profile_id, entered })}\n`);
  });
  // Writes end in any order; sorted, a second run makes the same file.
  if (exported.length > 0) await deps.put(`exports/${segment}/${as_of}.ndjson`, exported.sort().join(''));
  await deps.mark(segment, as_of, Math.floor(Date.parse(built_at ?? as_of) / 1000) + lifetime_days * DAY_SECONDS);
  return { ...counts, exported: exported.length };
}

async function* changes(prefix: string, deps: PublishDeps): AsyncGenerator<z.infer<typeof Change>> {
  for (const key of await deps.list(prefix)) {
    for await (const line of deps.lines(key)) if (line !== '') yield Change.parse(JSON.parse(line));
  }
}

/** Runs `work` on each item, `CONCURRENCY` at a time; the first failure stops the taking of more and is thrown. */
async function inParallel<T>(items: AsyncGenerator<T>, work: (item: T) => Promise<void>): Promise<void> {
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed) {
      const next = await items.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  const workers = Array.from({ length: CONCURRENCY }, () =>
    worker().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  await items.return(undefined);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
