import { type ErasureInput, type ErasureStep, REQUEST_IDS } from '../domain/erasure.ts';
import type { Step } from '../domain/plan.ts';
import { type PlanTargets, planDefinition } from './plan-definition.ts';

type State = Record<string, unknown>;
type States = Record<string, State>;

/** Lambda's own limit; a walk of many objects comes back with a cursor before it. */
const CALL_SECONDS = 900;

/** The tasks may be done twice. `LeftOver` is no hiccup: the next run vacuums again. */
const RETRY = [
  {
    ErrorEquals: ['LeftOver'],
    MaxAttempts: 0,
  },
  {
    ErrorEquals: ['Lambda.TooManyRequestsException', 'Lambda.ServiceException', 'States.TaskFailed'],
    IntervalSeconds: 10,
    BackoffRate: 3,
    MaxAttempts: 3,
    JitterStrategy: 'FULL',
  },
];

/**
 * The rights job as a state machine in the Amazon States Language (JSONata). The lease, the statements and their retries are
 * the plan's own; between them stand calls of the function `erase`. It begins by asking that function whether there is
 * anything to do, before it takes the lease. Input and statements carry times and request ids and name nobody.
 */
export function erasureDefinition(
  steps: readonly ErasureStep[],
  targets: PlanTargets & { eraseFunctionArn: string },
): State {
  const plan = planDefinition(steps.map(statementOf), targets) as State & { States: States };
  const { Run, Start } = plan.States as {
    Run: State & { Branches: { StartAt: string; States: States }[] };
    Start: State;
  };
  const [chain] = Run.Branches;
  if (!chain) throw new Error('the plan has no branch of steps');
  const states = { ...chain.States };
  for (const step of steps) {
    if (step.kind !== 'call') continue;
    const { Next, End } = states[step.id] as { Next?: string; End?: true };
    Object.assign(states, calls(step, targets.eraseFunctionArn, targets.partition, Next ?? End));
  }
  return {
    ...plan,
    Comment: 'Access, erasure and retention, one writer of the lake at a time',
    States: {
      ...plan.States,
      Start: { ...Start, Next: 'Open' },
      Open: {
        ...call({ task: 'open' }, targets.eraseFunctionArn, targets.partition),
        Assign: {
          idle: '{% $states.result.Payload.idle %}',
          requests: '{% $states.result.Payload.requests %}',
        },
        Next: 'IsIdle',
      },
      IsIdle: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $idle %}', Next: 'Done' }],
        Default: 'TakeLease',
      },
      Run: { ...Run, Branches: [{ ...chain, States: JSON.parse(withVariables(JSON.stringify(states))) as States }] },
    },
  };
}

/** Every step as a statement, so that the plan's generator chains them; a call's state is replaced afterwards. */
function statementOf(step: ErasureStep): Step {
  switch (step.kind) {
    case 'statement':
    case 'unload':
      return step;
    case 'maintain':
      return { kind: 'statement', id: step.id, sql: step.sql, parameters: [] };
    case 'call':
      return { kind: 'statement', id: step.id, sql: 'SELECT 1', parameters: [] };
  }
}

/** What `withVariables` puts the name of the run in the place of. */
const RUN = '{run}';

/**
 * Puts the variables into the place of their marks, in the text of the states. The mark of the request ids is a JSONata
 * string of its own between two pieces of a statement. The mark of the run stands in a statement that has no parameter and
 * is a plain text: it becomes an expression.
 */
function withVariables(states: string): string {
  return states
    .replaceAll(JSON.stringify(JSON.stringify(REQUEST_IDS)).slice(1, -1), '$requests')
    .replace(/"QueryString":"((?:[^"\\]|\\.)*)"/g, (whole, text: string) =>
      text.startsWith('{%') || !text.includes(RUN)
        ? whole
        : `"QueryString":${JSON.stringify(joined(JSON.parse(`"${text}"`)))}`,
    );
}

const joined = (sql: string): string =>
  `{% ${sql
    .split(RUN)
    .map((piece) => JSON.stringify(piece).replaceAll('%', '\\u0025'))
    .join(' & $run & ')} %}`;

/** A call of the function; one that comes back with a cursor is made again from there. */
function calls(
  { id, task, segments }: Extract<ErasureStep, { kind: 'call' }>,
  functionArn: string,
  partition: string,
  next: string | true | undefined,
): States {
  const after = typeof next === 'string' ? { Default: next } : { Default: `${id}-done` };
  return {
    [id]: {
      ...call({ task, ...(segments && { segments }) }, functionArn, partition),
      Assign: { cursor: "{% $exists($states.result.Payload.cursor) ? $states.result.Payload.cursor : '' %}" },
      Next: `${id}-more`,
    },
    [`${id}-more`]: {
      Type: 'Choice',
      Choices: [{ Condition: "{% $cursor != '' %}", Next: `${id}-again` }],
      ...after,
    },
    [`${id}-again`]: {
      ...call({ task, ...(segments && { segments }) }, functionArn, partition, { cursor: '{% $cursor %}' }),
      Assign: { cursor: "{% $exists($states.result.Payload.cursor) ? $states.result.Payload.cursor : '' %}" },
      Next: `${id}-more`,
    },
    ...(typeof next !== 'string' && { [`${id}-done`]: { Type: 'Succeed' } }),
  };
}

function call(
  input: Omit<ErasureInput, 'as_of' | 'run'>,
  FunctionName: string,
  partition: string,
  more: Record<string, string> = {},
): State {
  return {
    Type: 'Task',
    Resource: `arn:${partition}:states:::lambda:invoke`,
    Arguments: { FunctionName, Payload: { ...input, as_of: '{% $as_of %}', run: '{% $run %}', ...more } },
    TimeoutSeconds: CALL_SECONDS,
    Retry: RETRY,
    Output: {},
  };
}
