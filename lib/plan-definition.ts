import { LEASE_PK, markPk } from '../domain/items.ts';
import { LEASE_HELD_METRIC, SEGMENT_FAILED_METRIC } from '../domain/metrics.ts';
import { splitAtPlaceholders } from '../domain/placeholders.ts';
import { HISTORY_DAYS, LEASE_SECONDS, OPEN_DAYS, type Parameter, type Step, unloadPrefix } from '../domain/plan.ts';

/** What the state machine calls; ARNs and names may be tokens. */
export interface PlanTargets {
  readonly partition: string;
  readonly workGroup: string;
  readonly database: string;
  readonly bucket: string;
  readonly controlTable: string;
  readonly publishFunctionArn: string;
  /** CloudWatch namespace of the platform's own metrics. */
  readonly metricsNamespace: string;
  /** How long a run waits for another one's lease before it leaves the work to the next, in seconds. */
  readonly leaseWaitSeconds: number;
}

type State = Record<string, unknown>;
type States = Record<string, State>;

/**
 * A run ends before the lease that it took after its start, with a minute in hand: Step Functions then stops the statement
 * that is running, and that takes a moment.
 */
const RUN_SECONDS = LEASE_SECONDS - 60;

/** Athena's own limit for a statement is 30 minutes. */
const STATEMENT_SECONDS = 1800;

/** Lambda's own limit: a large audience's first publish writes every member. */
const PUBLISH_SECONDS = 900;

/** Another run usually ends within minutes; each look costs one transition. */
const LEASE_POLL_SECONDS = 15;

/** Step Functions' limit for the name of a state. */
const MAX_STATE_NAME = 80;

/** Failures that come before anything has been done, so that any call may be repeated. */
const THROTTLED = {
  ErrorEquals: ['Athena.TooManyRequestsException', 'Lambda.TooManyRequestsException', 'Lambda.ServiceException'],
  IntervalSeconds: 5,
  BackoffRate: 2,
  MaxAttempts: 6,
  MaxDelaySeconds: 60,
  JitterStrategy: 'FULL',
};

/**
 * Any other failure of a step that may run twice: a failed statement has committed nothing (ICEBERG_COMMIT_ERROR, a node
 * that was lost), publish writes the same again. Step Functions shows Athena's reason as text only, so it cannot tell
 * these from a wrong statement; that one costs two more scans.
 */
const REPEATABLE = {
  ErrorEquals: ['States.TaskFailed'],
  IntervalSeconds: 10,
  BackoffRate: 3,
  MaxAttempts: 2,
  JitterStrategy: 'FULL',
};

/** An UNLOAD that fails half-way leaves files behind and refuses the folder afterwards: the next run has a new one. */
const RETRY_UNLOAD = [THROTTLED];
const RETRY = [THROTTLED, REPEATABLE];

/** DynamoDB's own trouble, for the two calls that hold the lease. */
const RETRY_LEASE = [
  {
    ErrorEquals: [
      'DynamoDB.ProvisionedThroughputExceededException',
      'DynamoDB.ThrottlingException',
      'DynamoDB.InternalServerError',
    ],
    IntervalSeconds: 1,
    BackoffRate: 2,
    MaxAttempts: 5,
    JitterStrategy: 'FULL',
  },
];

/** An alarm waits for this one data point. */
const THROTTLED_METRIC = {
  ErrorEquals: ['States.TaskFailed'],
  IntervalSeconds: 1,
  BackoffRate: 2,
  MaxAttempts: 3,
  JitterStrategy: 'FULL',
};

/** The lease is another owner's. */
const LEASE_LOST = 'DynamoDB.ConditionalCheckFailedException';

/** JSONata of the run's time: the input's `as_of` where a person repeats a run, else the start; ISO 8601, milliseconds, Z. */
const AS_OF =
  '$fromMillis($toMillis($exists($states.input.as_of) ? $states.input.as_of : $states.context.Execution.StartTime))';

/**
 * The plan as a state machine in the Amazon States Language (JSONata): takes the lake's lease, runs the steps one after
 * the other, and gives the lease back, also when a step fails.
 */
export function planDefinition(steps: readonly Step[], targets: PlanTargets): State {
  const states: States = {
    Start: {
      Type: 'Pass',
      Assign: {
        as_of: expression(AS_OF),
        sql_time: expression(`"TIMESTAMP '" & $replace($substring(${AS_OF}, 0, 23), "T", " ") & "'"`),
        // The name becomes a part of keys and statements; a person who starts a run by hand may choose it.
        run: expression('$replace($states.context.Execution.Name, /[^A-Za-z0-9_-]/, "-")'),
        looks: 0,
      },
      Next: 'TakeLease',
    },
    TakeLease: {
      Type: 'Task',
      Resource: resource(targets, 'dynamodb:updateItem'),
      Arguments: {
        TableName: targets.controlTable,
        Key: { pk: { S: LEASE_PK } },
        UpdateExpression: 'SET #owner = :me, expires = :expires',
        // The owner may take it again: an answer that was lost is no reason to wait for oneself.
        ConditionExpression: 'attribute_not_exists(pk) OR expires < :now OR #owner = :me',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: {
          ':me': { S: expression('$states.context.Execution.Id') },
          ':now': { N: expression('$string($floor($millis() / 1000))') },
          ':expires': { N: expression(`$string($floor($millis() / 1000) + ${LEASE_SECONDS})`) },
        },
      },
      Retry: RETRY_LEASE,
      Catch: [{ ErrorEquals: [LEASE_LOST], Next: 'LeaseIsHeld' }],
      Output: {},
      Next: 'Run',
    },
    // A loop and no Retry: each look must compare with the time at which it is made.
    LeaseIsHeld: {
      Type: 'Choice',
      Choices: [
        {
          Condition: expression(`$looks >= ${Math.ceil(targets.leaseWaitSeconds / LEASE_POLL_SECONDS)}`),
          Next: 'CountLeaseHeld',
        },
      ],
      Default: 'WaitForLease',
    },
    WaitForLease: {
      Type: 'Wait',
      Seconds: LEASE_POLL_SECONDS,
      Assign: { looks: expression('$looks + 1') },
      Next: 'TakeLease',
    },
    CountLeaseHeld: {
      Type: 'Task',
      Resource: resource(targets, 'aws-sdk:cloudwatch:putMetricData'),
      Arguments: {
        Namespace: targets.metricsNamespace,
        MetricData: [{ MetricName: LEASE_HELD_METRIC, Unit: 'Count', Value: 1 }],
      },
      Retry: [THROTTLED_METRIC],
      // The run has failed either way, and the alarm for failed runs sees that.
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'LeaseStaysHeld' }],
      Output: {},
      Next: 'LeaseStaysHeld',
    },
    LeaseStaysHeld: {
      Type: 'Fail',
      Error: 'LeaseStaysHeld',
      Cause: 'Another writer holds the lake; the next run tries again.',
    },
    // One branch: what it is for is the one Catch around all steps.
    Run: {
      Type: 'Parallel',
      Branches: [chain(steps, targets)],
      Catch: [
        {
          ErrorEquals: ['States.ALL'],
          Assign: { failure: expression('$states.errorOutput.Error') },
          Next: 'ReleaseAfterFailure',
        },
      ],
      Output: {},
      Next: 'Release',
    },
    Release: release(targets, 'Done'),
    ReleaseAfterFailure: release(targets, 'StepFailed'),
    Done: { Type: 'Succeed' },
    // Without the cause, which may quote a value out of a row; the execution's history has it.
    StepFailed: {
      Type: 'Fail',
      Error: expression('$failure'),
      Cause: 'A step failed; the execution history says which.',
    },
  };
  return {
    Comment: 'From landing to audiences, one writer at a time',
    QueryLanguage: 'JSONata',
    TimeoutSeconds: RUN_SECONDS,
    StartAt: 'Start',
    States: states,
  };
}

/** Gives the lease back; one that has gone to another owner meanwhile stays with it, which is no failure. */
function release(targets: PlanTargets, next: string): State {
  return {
    Type: 'Task',
    Resource: resource(targets, 'dynamodb:deleteItem'),
    Arguments: {
      TableName: targets.controlTable,
      Key: { pk: { S: LEASE_PK } },
      ConditionExpression: '#owner = :me',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':me': { S: expression('$states.context.Execution.Id') } },
    },
    Retry: RETRY_LEASE,
    Catch: [{ ErrorEquals: [LEASE_LOST], Next: next }],
    Output: {},
    Next: next,
  };
}

/** Where a step goes on: the next step's state, or the end. */
type Next = { Next: string } | { End: true };

function chain(steps: readonly Step[], targets: PlanTargets): State {
  const states: States = {};
  const add = (own: States, id: string): void => {
    for (const [name, state] of Object.entries(own)) {
      if (name.length > MAX_STATE_NAME) throw new Error(`plan: "${name}" is too long for the name of a state`);
      if (states[name]) throw new Error(`plan: two steps are called "${id}"`);
      states[name] = state;
    }
  };
  steps.forEach((step, index) => {
    const later = steps.slice(index + 1);
    const next = nextOf(later[0]);
    if (step.branch === undefined) {
      add(statesOf(step, targets, next, undefined), step.id);
      return;
    }
    // Whatever fails in a branch, the plan goes on behind it.
    const behind = nextOf(later.find(({ branch }) => branch !== step.branch));
    const failed = `failed-${step.branch}`;
    add(statesOf(step, targets, next, { failed, behind }), step.id);
    if (steps[index - 1]?.branch !== step.branch) add(countFailure(failed, step.branch, targets, behind), failed);
  });
  const first = steps[0];
  if (!first) throw new Error('plan: there is no step');
  return { StartAt: entryOf(first), States: states };
}

const nextOf = (step: Step | undefined): Next => (step ? { Next: entryOf(step) } : { End: true });

/** Counts a branch that has failed, in total and by its name, and goes on. */
function countFailure(name: string, branch: string, targets: PlanTargets, next: Next): States {
  const point = { MetricName: SEGMENT_FAILED_METRIC, Unit: 'Count', Value: 1 };
  const done = `told-${name}`;
  return {
    [name]: {
      Type: 'Task',
      Resource: resource(targets, 'aws-sdk:cloudwatch:putMetricData'),
      Arguments: {
        Namespace: targets.metricsNamespace,
        MetricData: [point, { ...point, Dimensions: [{ Name: 'segment', Value: branch }] }],
      },
      Retry: [THROTTLED_METRIC],
      // The failed state stands in the execution's history in any case.
      Catch: [{ ErrorEquals: ['States.ALL'], Next: done }],
      Output: {},
      Next: done,
    },
    [done]: { Type: 'Pass', Output: {}, ...next },
  };
}

/** Before a marked statement its mark is read; before an added column the table is looked at. */
const entryOf = (step: Step): string =>
  step.kind === 'add_column' || (step.kind === 'statement' && step.mark) ? `look-${step.id}` : step.id;

/** `branch`: the state that counts a failure of the step's branch, and where the plan goes on behind the branch. */
function statesOf(
  step: Step,
  targets: PlanTargets,
  next: Next,
  branch: { failed: string; behind: Next } | undefined,
): States {
  const caught = branch && { Catch: [{ ErrorEquals: ['States.ALL'], Next: branch.failed }] };
  switch (step.kind) {
    case 'create_table':
      return { [step.id]: { ...query(step.sql, RETRY, targets, next), ...caught } };
    case 'statement':
      return step.mark
        ? markedStates(step, step.mark, targets, next, branch)
        : { [step.id]: { ...query(bound(step.sql, step.parameters), RETRY, targets, next), ...caught } };
    case 'unload': {
      const folder = [text(`s3://${targets.bucket}/`), ...unloadFolder(step.segment)].join(' & ');
      const pieces = pieceExpressions(step.sql, step.parameters).join(' & ');
      const sql = expression(`"UNLOAD (" & ${pieces} & ") TO '" & ${folder} & "' WITH (format = 'JSON')"`);
      return { [step.id]: { ...query(sql, RETRY_UNLOAD, targets, next), ...caught } };
    }
    case 'add_column':
      return {
        [`look-${step.id}`]: {
          Type: 'Task',
          Resource: resource(targets, 'aws-sdk:glue:getTable'),
          Arguments: { DatabaseName: targets.database, Name: step.table },
          Retry: RETRY,
          Assign: { missing: expression(`$not(${text(step.column)} in ${CURRENT_COLUMNS})`) },
          Output: {},
          Next: `case-${step.id}`,
        },
        [`case-${step.id}`]: {
          Type: 'Choice',
          Choices: [{ Condition: expression('$missing'), Next: step.id }],
          Default: 'Next' in next ? next.Next : `done-${step.id}`,
        },
        [step.id]: query(step.sql, RETRY, targets, next),
        ...('End' in next && { [`done-${step.id}`]: { Type: 'Succeed' } }),
      };
    case 'publish':
      return {
        [step.id]: {
          Type: 'Task',
          Resource: resource(targets, 'lambda:invoke'),
          Arguments: {
            FunctionName: targets.publishFunctionArn,
            Payload: {
              segment: step.segment,
              as_of: expression('$as_of'),
              built_at: expression('$built'),
              prefix: expression(unloadFolder(step.segment).join(' & ')),
              lifetime_days: step.lifetimeDays,
            },
          },
          TimeoutSeconds: PUBLISH_SECONDS,
          Retry: RETRY,
          ...caught,
          Output: {},
          ...next,
        },
      };
  }
}

const DAY_MS = 86_400_000;

/** JSONata of the day from which events are read; `eventsSince` says why. An empty `$built` stands for a missing mark. */
const EVENTS_SINCE = (() => {
  const first = `$toMillis($as_of) - ${HISTORY_DAYS * DAY_MS}`;
  const later = `$min([$toMillis($as_of), $toMillis($built)]) - ${OPEN_DAYS * DAY_MS}`;
  return `"DATE '" & $substring($fromMillis($built = "" ? ${first} : ${later}), 0, 10) & "'"`;
})();

/**
 * A statement that runs where its mark is old enough: the mark is read into `$built`, and set behind the statement. Where it
 * is not old enough, or the statement fails and a mark is there, the step's branch goes on with what has been built before.
 */
function markedStates(
  step: Extract<Step, { kind: 'statement' }>,
  { name, everySeconds }: { name: string; everySeconds: number },
  targets: PlanTargets,
  next: Next,
  branch: { failed: string; behind: Next } | undefined,
): States {
  const { id } = step;
  const done = `done-${id}`;
  const onward = 'Next' in next ? next.Next : done;
  const caught = branch && { Catch: [{ ErrorEquals: ['States.ALL'], Next: branch.failed }] };
  const key = { TableName: targets.controlTable, Key: { pk: { S: markPk(name) } } };
  return {
    [`look-${id}`]: {
      Type: 'Task',
      Resource: resource(targets, 'dynamodb:getItem'),
      Arguments: { ...key, ConsistentRead: true },
      Retry: RETRY_LEASE,
      ...caught,
      Assign: { built: expression('$exists($states.result.Item) ? $states.result.Item.at.S : ""') },
      Output: {},
      Next: `case-${id}`,
    },
    [`case-${id}`]: {
      Type: 'Choice',
      Choices: [
        {
          // As `isDue` says.
          Condition: expression(
            `$built = "" or $toMillis($as_of) < $toMillis($built) or ` +
              `$toMillis($as_of) >= $toMillis($built) + ${everySeconds * 1000}`,
          ),
          Next: id,
        },
      ],
      Default: onward,
    },
    [id]: {
      ...query(bound(step.sql, step.parameters), RETRY, targets, { Next: `mark-${id}` }),
      ...(branch && { Catch: [{ ErrorEquals: ['States.ALL'], Next: `count-${id}` }] }),
    },
    [`mark-${id}`]: {
      Type: 'Task',
      Resource: resource(targets, 'dynamodb:updateItem'),
      Arguments: {
        ...key,
        UpdateExpression: 'SET #at = :at',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':at': { S: expression('$as_of') } },
      },
      Retry: RETRY_LEASE,
      ...caught,
      Assign: { built: expression('$as_of') },
      Output: {},
      Next: onward,
    },
    ...(branch && {
      ...countFailure(`count-${id}`, step.branch ?? '', targets, { Next: `kept-${id}` }),
      [`kept-${id}`]: {
        Type: 'Choice',
        Choices: [{ Condition: expression('$built = ""'), Next: 'Next' in branch.behind ? branch.behind.Next : done }],
        Default: onward,
      },
    }),
    ...(('End' in next || (branch && 'End' in branch.behind)) && { [done]: { Type: 'Succeed' } }),
  };
}

/** Glue keeps the columns that an Iceberg table has lost and marks them. */
const CURRENT_COLUMNS =
  "$states.result.Table.StorageDescriptor.Columns[$not(Parameters.`iceberg.field.current` = 'false')].Name";

function query(sql: string, retry: State[], targets: PlanTargets, next: Next): State {
  return {
    Type: 'Task',
    Resource: resource(targets, 'athena:startQueryExecution.sync'),
    Arguments: {
      QueryString: sql,
      QueryExecutionContext: { Database: targets.database },
      WorkGroup: targets.workGroup,
    },
    TimeoutSeconds: STATEMENT_SECONDS,
    Retry: retry,
    Output: {},
    ...next,
  };
}

const resource = ({ partition }: PlanTargets, action: string): string => `arn:${partition}:states:::${action}`;

const expression = (jsonata: string): string => `{% ${jsonata} %}`;

/** A JSONata string; JSON's escapes are JSONata's too. A `%` is written as its number, since `%}` would end the expression. */
const text = (value: string): string => JSON.stringify(value).replaceAll('%', '\\u0025');

/** A statement with its parameters in place: as it is where none depends on the run, else as an expression. */
function bound(sql: string, parameters: readonly Parameter[]): string {
  const pieces = pieceExpressions(sql, parameters);
  return parameters.some((parameter) => typeof parameter === 'string')
    ? expression(pieces.join(' & '))
    : pieces.map((piece) => JSON.parse(piece)).join('');
}

/** The statement's pieces and, between them, the literals of its parameters; Athena takes no parameters in a MERGE. */
function pieceExpressions(sql: string, parameters: readonly Parameter[]): string[] {
  const pieces = splitAtPlaceholders(sql);
  if (pieces.length !== parameters.length + 1)
    throw new Error(
      `plan: ${pieces.length - 1} placeholders and ${parameters.length} parameters in: ${sql.slice(0, 80)}`,
    );
  return pieces.flatMap((piece, index) => {
    const parameter = parameters[index];
    if (parameter === undefined) return [text(piece)];
    if (parameter === 'as_of') return [text(piece), '$sql_time'];
    return [text(piece), parameter === 'events_since' ? `(${EVENTS_SINCE})` : text(parameter.literal)];
  });
}

/** `unloadPrefix` as JSONata, with the run's name in its place. */
function unloadFolder(segment: string): string[] {
  const mark = '{run}';
  const [before = '', after = ''] = unloadPrefix(segment, mark).split(mark);
  return [text(before), '$run', text(after)];
}
