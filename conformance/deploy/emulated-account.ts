import { join } from 'node:path';
import { type AwsCalls, openAwsCalls } from '../engines/aws-calls.ts';
import { freePort } from '../engines/engine-process.ts';
import { type MiniStack, type MiniStackOptions, startMiniStack } from '../engines/ministack.ts';
import { startAthenaExecutor } from './athena-executor.ts';

/** An empty AWS account on this machine: the emulator, a way to call it, and an engine behind its Athena. */
export type EmulatedAccount = { ministack: MiniStack; calls: AwsCalls; stop: () => Promise<void> };

/** Starts everything that an account is made of; what has started is ended where a later part fails. */
export async function startAccount(options: Omit<MiniStackOptions, 'athenaExecutor'>): Promise<EmulatedAccount> {
  const { work } = options;
  // The emulator is told where the executor will be, and the executor needs the emulator.
  const port = await freePort();
  const ministack = await startMiniStack({ ...options, athenaExecutor: `http://127.0.0.1:${port}` });
  const calls = openAwsCalls(ministack.python, ministack.env);
  const executor = await startAthenaExecutor({ port, ministack, calls, work: join(work, 'athena') }).catch(
    async (error: unknown) => {
      await calls.close();
      await ministack.stop();
      throw error;
    },
  );
  return {
    ministack,
    calls,
    async stop() {
      await executor.stop();
      await calls.close();
      await ministack.stop();
    },
  };
}
