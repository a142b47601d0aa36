import type { ChildProcess } from 'node:child_process';

/** Ends a child with this process, however this one ends by itself: a test that fails leaves nothing running. */
export function endWithUs(child: ChildProcess): void {
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
}
