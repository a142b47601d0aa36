import { ListSecretsCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { KEYS_TAG } from '../domain/keys.ts';

/**
 * The ARN of a deployed stage's keys, found by the tag that the state stack gives its secret. Throws where there is none,
 * and where a removed stage has left a second one: the tag of that has to go first.
 */
export async function secretOfStage(client: SecretsManagerClient, stageName: string): Promise<string> {
  const found: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(
      new ListSecretsCommand({ Filters: [{ Key: 'tag-key', Values: [KEYS_TAG] }], ...(NextToken && { NextToken }) }),
    );
    for (const { ARN, Tags = [] } of page.SecretList ?? [])
      if (ARN && Tags.some(({ Key, Value }) => Key === KEYS_TAG && Value === stageName)) found.push(ARN);
    NextToken = page.NextToken;
  } while (NextToken);
  const [arn, ...others] = found;
  if (arn === undefined)
    throw new Error(
      `no secret has the tag ${KEYS_TAG}=${stageName}: is the stage deployed to this account and region?`,
    );
  if (others.length > 0)
    throw new Error(
      `several secrets have the tag ${KEYS_TAG}=${stageName}; remove it from the old: ${found.join(', ')}`,
    );
  return arn;
}
