import * as z from 'zod';
import { MAX_PLACEMENTS, type Placement } from '../../domain/decision.ts';
import type { Issue } from '../../domain/field-values.ts';
import { Purpose } from '../../domain/purposes.ts';

/** The door keeps no text longer than this in `product_id`, `category` and `campaign`, so a longer one can match nothing. */
const MAX_TEXT_LENGTH = 100;

/** Longest id of a brand's customer: Segment's own limit, as for the messages that name one. */
const MAX_ID_LENGTH = 255;

/** A banner template may leave a place empty: as good as absent. */
const Text = z
  .string()
  .max(MAX_TEXT_LENGTH, `must have at most ${MAX_TEXT_LENGTH} characters`)
  .transform((text) => text || undefined)
  .optional();

const OnePlacement = z.strictObject({ product: Text, category: Text, campaign: Text });

const Placements = z
  .array(OnePlacement, 'must be a list of placements')
  .min(1, 'must hold a placement')
  .max(MAX_PLACEMENTS, `must have at most ${MAX_PLACEMENTS} placements`);

const ServerQuestion = z.strictObject({
  /** Some shops have numbers for ids; as a text they are the same customer. */
  personId: z
    .union([z.string().min(1).max(MAX_ID_LENGTH), z.number()], 'must be a customer id or a person key')
    .transform(String),
  placements: Placements,
  /** As in every message of a server: what the person has chosen. */
  context: z
    .strictObject({ consent: z.strictObject({ categoryPreferences: z.partialRecord(Purpose, z.boolean()) }) })
    .optional(),
});

export type ServerQuestion = z.infer<typeof ServerQuestion>;

/** `single`: the placement stands in the query itself, and the answer is that of one. */
export type BrowserQuestion = { placements: readonly Placement[]; single: boolean };

type Refused = { errors: readonly Issue[] };

/** The fields of one placement in the query of `GET /v1/decision`. */
const FIELDS = ['product', 'category', 'campaign'] as const;

/**
 * Reads a browser's question: `product`, `category` and `campaign`, or `placements`, a JSON list of the same. Other
 * parameters are somebody else's and are not looked at.
 */
export function readQuery(query: string): BrowserQuestion | Refused {
  const parameters = new URLSearchParams(query);
  const list = parameters.get('placements');
  const one = Object.fromEntries(
    FIELDS.flatMap((name) => (parameters.has(name) ? [[name, parameters.get(name)]] : [])),
  );
  if (list === null) {
    const read = parsed(OnePlacement, one, []);
    return 'errors' in read ? read : { placements: [read.value], single: true };
  }
  if (Object.keys(one).length > 0)
    return { errors: [{ path: 'placements', rule: `goes without ${FIELDS.join(', ')} beside it` }] };
  const read = parsed(Placements, jsonOf(list), ['placements']);
  return 'errors' in read ? read : { placements: read.value, single: false };
}

/** Reads a server's question, the body of `POST /v1/decision`. */
export function readBody(body: string): ServerQuestion | Refused {
  const json = jsonOf(body);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { errors: [{ path: '', rule: 'must be a JSON object' }] };
  const read = parsed(ServerQuestion, json, []);
  return 'errors' in read ? read : read.value;
}

function parsed<T>(
  schema: z.ZodType<T>,
  value: unknown,
  at: readonly string[],
): { value: T } | { errors: readonly Issue[] } {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  const errors = result.error.issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...path, key].join('.'), rule: 'is not known here' }))
      : [{ path: path.join('.'), rule: issue.message }];
  });
  return { errors };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
