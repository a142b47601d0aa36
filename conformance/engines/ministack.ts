import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { freePort, startEngine } from './engine-process.ts';
import { virtualEnvironment } from './python.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXTENSION_HOME = join(ROOT, 'conformance');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

/** The emulator's region: the one of every stage but `-c region=…`. */
const REGION = 'eu-central-1';
/** MiniStack takes twelve digits in the place of an access key for the account. */
export const ACCOUNT = '000000000000';
/** It imports a few hundred modules; on a loaded machine of two cores that takes several seconds. */
const READY_WITHIN_MS = 60_000;

export type MiniStack = {
  /** `http://127.0.0.1:PORT`, for every service. */
  url: string;
  region: string;
  /** What SDK clients and the CDK's command line need to talk to it and to nothing else. */
  env: Record<string, string>;
  logFile: string;
  /** The interpreter of the virtual environment, for `openAwsCalls`. */
  python: string;
  stop: () => Promise<void>;
};

export type MiniStackOptions = {
  /** A folder of this run: log, temporary files and the code of the functions go there. */
  work: string;
  say: (line: string) => void;
  /** Where Athena's statements are executed (`conformance/extension/athena.py`); without it every statement fails. */
  athenaExecutor?: string;
  /** A folder whose `node` runs the functions; else that of this repository. */
  nodeFolder?: string;
};

/**
 * The emulator with our extension, on a free port of loopback and with nothing kept from an earlier run. Its packages are
 * installed at the first start. Functions run on the node of this repository, the runtime's own major version.
 */
export async function startMiniStack(options: MiniStackOptions): Promise<MiniStack> {
  const { work, say, athenaExecutor, nodeFolder = join(ROOT, 'node_modules', '.bin') } = options;
  const python = await virtualEnvironment(cacheFolder('ministack-1.5.33'), REQUIREMENTS, say);
  mkdirSync(join(work, 'tmp'), { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(work, 'ministack.log');
  const credentials = {
    AWS_ACCESS_KEY_ID: ACCOUNT,
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const engine = await startEngine({
    name: 'MiniStack',
    command: python,
    args: ['-m', 'extension'],
    cwd: work,
    env: {
      ...credentials,
      PATH: [nodeFolder, process.env.PATH ?? ''].join(delimiter),
      HOME: work,
      TMPDIR: join(work, 'tmp'),
      PYTHONPATH: EXTENSION_HOME,
      // The extension lies in the repository, which a run leaves as it was.
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_HOST: '127.0.0.1',
      MINISTACK_REGION: REGION,
      PERSIST_STATE: '0',
      S3_PERSIST: '0',
      // They would listen on ports of their own.
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      ...(athenaExecutor !== undefined && { PAULA_ATHENA_EXECUTOR: athenaExecutor }),
    },
    logFile,
    ready: async () => (await fetch(`${url}/_ministack/health`)).ok,
    readyWithinMs: READY_WITHIN_MS,
  });
  return {
    url,
    region: REGION,
    env: { ...credentials, AWS_ENDPOINT_URL: url, AWS_ENDPOINT_URL_S3: url },
    logFile,
    python,
    stop: engine.stop,
  };
}
