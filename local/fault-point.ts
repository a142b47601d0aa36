import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where the platform can be made to die, for the kill test:
 * `profile.checkpoint`, `land.checkpoint`: the function is done, its checkpoint is not written;
 * `door.answer`: collect is done (its records are in the stream), the answer is not written;
 * `plan.release`: the last step of the plan is done, the lease is not released;
 * `plan.step.ID`: that step of the plan is done.
 */
export type FaultPoint =
  | 'profile.checkpoint'
  | 'land.checkpoint'
  | 'door.answer'
  | 'plan.release'
  | `plan.step.${string}`;

/**
 * Returns what the platform calls whenever it passes a point. `spec` is `POINT:N`: the Nth time that the point is passed,
 * a line goes to `faults.log` of the state folder, onto the disk, and the process is killed as by `kill -9`.
 */
export function faultPoints(spec: string | undefined, stateDir: string): (point: FaultPoint) => void {
  if (spec === undefined || spec === '') return () => undefined;
  const [, wanted, count] = /^([\w.-]+):([1-9]\d*)$/.exec(spec) ?? [];
  if (wanted === undefined) throw new Error(`PAULA_FAULT="${spec}" is refused: it must be POINT:N`);
  let left = Number(count);
  return (point) => {
    if (point !== wanted || --left !== 0) return;
    const log = openSync(join(stateDir, 'faults.log'), 'a');
    writeSync(log, `${new Date().toISOString()} ${spec} pid ${process.pid}\n`);
    fsyncSync(log);
    closeSync(log);
    process.kill(process.pid, 'SIGKILL');
  };
}
