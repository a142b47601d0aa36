import { beforeAll, describe, expect, it } from '@jest/globals';
import type * as z from 'zod';
import {
  CollectEnv,
  DecideEnv,
  EraseEnv,
  KeysEnv,
  LandEnv,
  ProfileEnv,
  PublishEnv,
  RightsEnv,
} from '../../lambdas/env.ts';
import { resourcesOf, type Synthesised, synthesise } from './synthesised.ts';

/** Which schema reads the environment of which function, by the beginning of its logical id. */
const SCHEMAS: Record<string, z.ZodType> = {
  KeysFunction: KeysEnv,
  DoorCollectFunction: CollectEnv,
  DoorDecideFunction: DecideEnv,
  ProfileFunction: ProfileEnv,
  LandFunction: LandEnv,
  PlanPublishFunction: PublishEnv,
  DoorRightsFunction: RightsEnv,
  RightsJobEraseFunction: EraseEnv,
};

/** Set for every function, and read by Node itself. */
const OF_NODE = 'NODE_OPTIONS';

describe('the environment of each function', () => {
  let functions: Map<string, Record<string, string>>;
  let state: Synthesised['state'];

  beforeAll(() => {
    const { line, ...rest } = synthesise('prod');
    state = rest.state;
    functions = new Map(
      resourcesOf(line, 'AWS::Lambda::Function').map(([id, { Properties }]) => {
        const { Variables } = Properties.Environment as { Variables: Record<string, unknown> };
        const texts = Object.entries(Variables).map(([name, value]) => [name, resolved(value)]);
        return [id.slice(0, -8), { ...Object.fromEntries(texts), AWS_REGION: 'eu-central-1' }];
      }),
    );
  });

  it('belongs to the functions that there are', () => {
    expect([...functions.keys()].sort()).toEqual(Object.keys(SCHEMAS).sort());
  });

  it.each(Object.entries(SCHEMAS))('%s is read by its own schema and has nothing else', (name, schema) => {
    const { [OF_NODE]: ofNode, ...environment } = functions.get(name) ?? {};
    expect(ofNode).toBe('--enable-source-maps');
    expect(schema.parse(environment)).toEqual(environment);
  });

  it('names resources of the state stack that are what the variable says', () => {
    const types: Record<string, string> = {
      STREAM_NAME: 'AWS::Kinesis::Stream',
      PROFILES_TABLE: 'ProfilesTable',
      CONSENTS_TABLE: 'ConsentsTable',
      CONTROL_TABLE: 'ControlTable',
      BUCKET_NAME: 'AWS::S3::Bucket',
      KEYS_SECRET_ID: 'AWS::SecretsManager::Secret',
    };
    for (const environment of functions.values()) {
      for (const [name, expected] of Object.entries(types)) {
        const value = environment[name];
        if (value === undefined) continue;
        const [id, resource] =
          Object.entries(state.Resources ?? {}).find(([logicalId]) =>
            new RegExp(`Ref${logicalId}[0-9A-F]{8}$`).test(value),
          ) ?? [];
        expect([id, resource?.Type]).toContain(expected);
      }
    }
  });
});

/** The value that CloudFormation would put in, as far as the template says it. */
function resolved(value: unknown): string {
  if (typeof value === 'string') return value;
  const name = (value as { 'Fn::ImportValue'?: string })['Fn::ImportValue'];
  if (name === undefined) throw new Error(`no import: ${JSON.stringify(value)}`);
  return name;
}
