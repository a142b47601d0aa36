import jsonata from 'jsonata';

/** What a task asked a service for; `action` is what follows `states:::` in its resource. */
export type Call = { action: string; parameters: Record<string, unknown> };

/** An error as a service integration reports it. */
export class ServiceError extends Error {}

type Catcher = { ErrorEquals: string[]; Next: string; Assign?: Record<string, unknown> };
type State = {
  Type: string;
  Next?: string;
  Resource?: string;
  Arguments?: Record<string, unknown>;
  Assign?: Record<string, unknown>;
  Catch?: Catcher[];
  Choices?: { Condition: string; Next: string }[];
  Default?: string;
  Seconds?: number;
  Branches?: States[];
  Error?: string;
};
export type States = { StartAt: string; States: Record<string, State> };

type Run = {
  /** What the services answer; throws a `ServiceError` where they refuse. */
  answer: (call: Call) => unknown;
  input: object;
  execution: { Id: string; Name: string; StartTime: string };
};

/**
 * Runs a state machine of the Amazon States Language as far as the plan uses it: JSONata with the language's own engine,
 * variables by scope, catchers; without retries, whose delays are Step Functions' business. Waits are summed, not waited.
 */
export async function runMachine(machine: States, { answer, input, execution }: Run) {
  const calls: Call[] = [];
  const startedAt = Date.now();
  let waited = 0;

  const evaluate = async (value: unknown, variables: object, states: object): Promise<unknown> => {
    if (typeof value === 'string' && value.startsWith('{%'))
      return jsonata(value.slice(2, -2)).evaluate({}, { ...variables, states });
    if (Array.isArray(value)) return Promise.all(value.map((item) => evaluate(item, variables, states)));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(async ([key, item]) => [key, await evaluate(item, variables, states)]);
    return Object.fromEntries(await Promise.all(entries));
  };

  const walk = async ({ StartAt, States }: States, outer: object): Promise<void> => {
    let variables = { ...outer };
    let name: string | undefined = StartAt;
    while (name !== undefined) {
      const state: State | undefined = States[name];
      if (!state) throw new Error(`no state is called ${name}`);
      const context = { input, context: { Execution: execution, State: { Name: name } } };
      const assign = async (from: Record<string, unknown> | undefined, more: object) => {
        variables = { ...variables, ...((await evaluate(from ?? {}, variables, { ...context, ...more })) as object) };
      };
      try {
        let result: unknown;
        if (state.Type === 'Task') {
          const parameters = (await evaluate(state.Arguments, variables, context)) as Record<string, unknown>;
          const call = { action: state.Resource?.split(':states:::')[1] ?? '', parameters };
          calls.push(call);
          result = answer(call);
        } else if (state.Type === 'Parallel') {
          await Promise.all((state.Branches ?? []).map((branch) => walk(branch, variables)));
        } else if (state.Type === 'Fail') {
          throw new ServiceError(String(await evaluate(state.Error, variables, context)));
        } else if (state.Type === 'Wait') {
          waited += state.Seconds ?? 0;
        }
        let next: string | undefined = state.Next;
        if (state.Type === 'Choice') {
          next = state.Default;
          for (const choice of state.Choices ?? []) {
            if ((await evaluate(choice.Condition, variables, context)) !== true) continue;
            next = choice.Next;
            break;
          }
        }
        await assign(state.Assign, { result });
        name = next;
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        const { message } = error;
        const caught = state.Catch?.find(({ ErrorEquals }) =>
          ErrorEquals.some((one) => one === message || one === 'States.ALL'),
        );
        if (!caught) throw error;
        await assign(caught.Assign, { errorOutput: { Error: message, Cause: '' } });
        name = caught.Next;
      }
    }
  };

  try {
    await walk(machine, {});
    return { status: 'SUCCEEDED' as const, error: undefined, calls, waited, startedAt };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { status: 'FAILED' as const, error: error.message, calls, waited, startedAt };
  }
}
