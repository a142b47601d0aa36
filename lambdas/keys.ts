import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda';
import type { PaulaConfig } from '../domain/config.ts';
import { completeKeys, Keys } from '../domain/keys.ts';

export type KeysDeps = {
  config: PaulaConfig;
  /** The stored document; undefined where the secret has no value yet. */
  read(): Promise<string | undefined>;
  write(document: string): Promise<void>;
  /** 32 random bytes as base64url. */
  random(): string;
  /** Puts the answer to where CloudFormation waits for it. */
  answer(url: string, response: CloudFormationCustomResourceResponse): Promise<void>;
};

/** Never changes: a new physical id would make CloudFormation delete the resource under the old one. */
const PHYSICAL_ID = 'paula-keys';

/**
 * Custom resource: on create and update stores the keys that the configuration wants and the document lacks; keys that
 * exist stay as they are. A delete does nothing, since the secret outlives this stack. The answer holds no key and no
 * words but our own, because a parser's error may quote the document.
 */
export async function keys(event: CloudFormationCustomResourceEvent, deps: KeysDeps): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;
  const response = { StackId, RequestId, LogicalResourceId, PhysicalResourceId: PHYSICAL_ID };
  const failure = event.RequestType === 'Delete' ? undefined : await failureOf(completeStored(deps));
  if (failure === undefined) return deps.answer(ResponseURL, { ...response, Status: 'SUCCESS' });
  return deps.answer(ResponseURL, {
    ...response,
    Status: 'FAILED',
    Reason: `the keys could not be completed: ${failure}`,
  });
}

async function failureOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown error';
  }
}

async function completeStored({ config, read, write, random }: KeysDeps): Promise<void> {
  const stored = await read();
  const existing = stored === undefined ? {} : Keys.partial().parse(JSON.parse(stored));
  const complete = JSON.stringify(completeKeys(existing as Partial<Keys>, config, random));
  if (complete !== stored) await write(complete);
}
