import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What an AWS call answered; the shape is the operation's, as botocore's service model has it. */
// biome-ignore lint/suspicious/noExplicitAny: there are some fifty operations, and each answer is compared at once.
export type AwsResult = any;

/** An error that the service answered, with its code. */
export class AwsError extends Error {
  readonly code: string;

  constructor(call: string, code: string, message: string) {
    super(`${call}: ${code}: ${message}`);
    this.code = code;
  }
}

export type AwsCalls = {
  /** `operation` is botocore's name (`describe_stacks`); throws an AwsError where the service refuses. */
  call: (service: string, operation: string, parameters?: Record<string, unknown>) => Promise<AwsResult>;
  close: () => Promise<void>;
};

/** Opens a process that makes AWS calls with botocore, one after the other. `env` names endpoint, region and credentials. */
export function openAwsCalls(python: string, env: Readonly<Record<string, string>>): AwsCalls {
  const child = spawn(python, [join(import.meta.dirname, 'aws_calls.py')], {
    env: { ...env, PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const waiting: { call: string; take: (result: AwsResult) => void; refuse: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { call, take, refuse } = waiting.shift() ?? {};
    const { result, error } = JSON.parse(line) as { result?: AwsResult; error?: { code: string; message: string } };
    if (error) refuse?.(new AwsError(call ?? '', error.code, error.message));
    else take?.(result);
  });
  void ended.then(() => {
    for (const { call, refuse } of waiting.splice(0))
      refuse(new Error(`${call}: the process that calls AWS has ended`));
  });
  return {
    call: (service, operation, parameters = {}) =>
      new Promise((take, refuse) => {
        waiting.push({ call: `${service} ${operation}`, take, refuse });
        child.stdin.write(`${JSON.stringify({ service, operation, parameters })}\n`);
      }),
    async close() {
      process.off('exit', endWithUs);
      child.stdin.end();
      await ended;
    },
  };
}
