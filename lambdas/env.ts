import * as z from 'zod';
import { EuRegion } from '../domain/region.ts';

/**
 * The environment of each function. `lib` sets these names, the entries read them, and a test parses every synthesised
 * environment with its schema. AWS_REGION is set by Lambda and checked again here: the run-time part of the region pin.
 */
const Base = z.object({ STAGE: z.string().min(1), AWS_REGION: EuRegion });

export const CollectEnv = Base.extend({
  STREAM_NAME: z.string().min(1),
  PROFILES_TABLE: z.string().min(1),
  CONSENTS_TABLE: z.string().min(1),
  KEYS_SECRET_ID: z.string().min(1),
  /** The packed country table: beside the bundle in Lambda, in the state folder locally. */
  COUNTRY_TABLE_FILE: z.string().min(1),
});

export const DecideEnv = Base.extend({
  PROFILES_TABLE: z.string().min(1),
  CONSENTS_TABLE: z.string().min(1),
  CONTROL_TABLE: z.string().min(1),
  KEYS_SECRET_ID: z.string().min(1),
});

export const ProfileEnv = Base.extend({ PROFILES_TABLE: z.string().min(1), CONSENTS_TABLE: z.string().min(1) });

export const LandEnv = Base.extend({ BUCKET_NAME: z.string().min(1) });

export const PublishEnv = Base.extend({
  PROFILES_TABLE: z.string().min(1),
  CONTROL_TABLE: z.string().min(1),
  BUCKET_NAME: z.string().min(1),
});

/** The door for rights. */
export const RightsEnv = Base.extend({
  STREAM_NAME: z.string().min(1),
  PROFILES_TABLE: z.string().min(1),
  CONSENTS_TABLE: z.string().min(1),
  BUCKET_NAME: z.string().min(1),
  KEYS_SECRET_ID: z.string().min(1),
});

/** The function of the rights job. */
export const EraseEnv = Base.extend({
  PROFILES_TABLE: z.string().min(1),
  CONSENTS_TABLE: z.string().min(1),
  BUCKET_NAME: z.string().min(1),
});

/** The custom resource that fills in missing keys at deploy. */
export const KeysEnv = Base.extend({ KEYS_SECRET_ID: z.string().min(1) });
