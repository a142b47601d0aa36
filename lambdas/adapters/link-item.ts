import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { LinkItem } from '../../domain/items.ts';

type Attributes = Record<string, AttributeValue>;

/** Reads a link item as DynamoDB returns it. */
export function linkItemOf(item: Attributes): LinkItem {
  const { person, since, receipt, siblings, revision, withdrawn, regranted, objected } = item;
  return {
    pk: item.pk?.S ?? '',
    sk: 'link',
    ttl: Number(item.ttl?.N ?? 0),
    ...(person?.S !== undefined && { person: person.S }),
    ...(since?.N !== undefined && { since: Number(since.N) }),
    ...(receipt?.S !== undefined && { receipt: receipt.S }),
    ...(siblings?.L && { siblings: siblings.L.map((sibling) => sibling.S ?? '') }),
    ...(revision?.N !== undefined && { revision: Number(revision.N) }),
    ...(withdrawn?.M && { withdrawn: times(withdrawn.M) }),
    ...(regranted?.M && { regranted: times(regranted.M) }),
    ...(objected?.N !== undefined && { objected: Number(objected.N) }),
  };
}

const times = (map: Attributes): Record<string, number> =>
  Object.fromEntries(Object.entries(map).map(([purpose, time]) => [purpose, Number(time.N)]));
