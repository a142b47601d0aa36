import { AsyncLocalStorage } from 'node:async_hooks';

/** Which function a call is made for, where one process runs several. */
export const runningFunction = new AsyncLocalStorage<string>();
