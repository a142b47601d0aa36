import { registerHooks } from 'node:module';

/**
 * For the local platform, which runs every function in its own process: each entry's handler runs under its name, so that
 * the recorder can tell whose call it sees. `node --import …/local-functions.ts --import …/recorder.ts local/start.ts`.
 */
const ENTRY = /\/lambdas\/([a-z]+)\.lambda\.ts$/;
const RUNNING_FUNCTION = new URL('./running-function.ts', import.meta.url).href;

registerHooks({
  load(url, context, nextLoad) {
    const name = ENTRY.exec(url)?.[1];
    if (name === undefined) return nextLoad(url, context);
    const source = `
      import { runningFunction } from ${JSON.stringify(RUNNING_FUNCTION)};
      import { handler as inner } from ${JSON.stringify(`${url}?named`)};
      export const handler = (...given) => runningFunction.run(${JSON.stringify(name)}, () => inner(...given));
    `;
    return { format: 'module', source, shortCircuit: true };
  },
});
