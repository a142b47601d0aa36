import type { RecordedCall } from './recorded-call.ts';

/** What the function `erase` reads and then writes again or deletes, if it holds somebody erased. */
const REWRITTEN = ['landing/', 'landing-links/', 'landing-consents/', 'exports/', 'aws/lambda/'];

/**
 * Calls that a run meets by chance only. Of `erase`: whether a file is rewritten or deleted depends on whose records the
 * stream's cuts have put together, and a device that only the lake knows of is noted in the ledger. Of `profile` and `decide`:
 * who has found no salt does not look into the ledger for a minute; and a fold takes its first item back only where a
 * withdrawal overtook it. Of `publish`: an item goes with its last audience, unless the door has taken it away before. The names are those of the place where the other calls
 * were recorded.
 */
export function unmetCalls(names: {
  erase: string;
  profile: string;
  decide: string;
  publish: string;
  bucket: string;
  profiles: string;
  consents: string;
  region: string;
}): RecordedCall[] {
  const { erase, profile, decide, publish, bucket, profiles, consents, region } = names;
  const ofProfiles = { service: 'dynamodb', region, resources: [profiles] };
  const ofLedger = { service: 'dynamodb', region, resources: [consents] };
  const ofFiles = REWRITTEN.flatMap((prefix) =>
    ['PutObject', 'DeleteObject'].map((operation): RecordedCall => {
      return { function: erase, service: 's3', region, operation, resources: [bucket], key: `${prefix}any` };
    }),
  );
  return [
    ...ofFiles,
    { function: erase, operation: 'UpdateItem', ...ofLedger },
    { function: profile, operation: 'BatchGetItem', ...ofLedger },
    { function: decide, operation: 'BatchGetItem', ...ofLedger },
    { function: profile, operation: 'DeleteItem', ...ofProfiles },
    { function: publish, operation: 'DeleteItem', ...ofProfiles },
  ];
}
