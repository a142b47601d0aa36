import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache.ts';
import { download } from './download.ts';
import { freePort, startEngine } from './engine-process.ts';
import { findJava, MINIMUM_JAVA } from './java.ts';
import { type TrinoClient, trinoClient } from './trino-client.ts';

/** The last release whose server Maven Central has. */
const VERSION = '476';
const TARBALL = {
  url: `https://repo1.maven.org/maven2/io/trino/trino-server/${VERSION}/trino-server-${VERSION}.tar.gz`,
  bytes: 821_045_832,
  sha256: 'cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f',
};

/** Of some fifty plugins the two whose catalogues the lake has. */
const PLUGINS = ['hive', 'iceberg'];

/** Enough for 400,000 rows in two joins; the machine has more to do. */
const HEAP = '2G';
const QUERY_MEMORY = '1GB';

/** It starts in half a minute on two idle cores; others may be at work. */
const READY_WITHIN_MS = 240_000;

/** The schema that both catalogues call the lake's database. */
export const SCHEMA = 'lake';

/**
 * Where the catalogues keep their tables. `files`: below a folder, told by a metastore of files. `aws`: in a bucket, told
 * by Glue, both behind one endpoint.
 */
export type TrinoStore =
  | { kind: 'files'; folder: string }
  | { kind: 'aws'; endpoint: string; region: string; accessKey: string; secretKey: string };

export type Trino = TrinoClient & { url: string; pid: number; stop: () => Promise<void> };

/** No Java is new enough; the message says which were looked at. */
export class MissingJava extends Error {}

/**
 * Starts Trino on a free port of loopback, with catalogues `hive` and `iceberg` that find each other's tables, so that one
 * name means one table as in Athena. It is fetched and unpacked at the first start. `work` takes its configuration and log.
 */
export async function startTrino(options: {
  work: string;
  say: (line: string) => void;
  store: TrinoStore;
}): Promise<Trino> {
  const { work, say, store } = options;
  const seen: string[] = [];
  const java = await findJava({}, seen);
  if (!java)
    throw new MissingJava(
      `Trino ${VERSION} needs Java ${MINIMUM_JAVA} or later, in PAULA_JAVA_HOME, JAVA_HOME, /usr/lib/jvm or on the path` +
        (seen.length > 0 ? `; ${seen.join(', ')}` : ''),
    );
  const home = await installedTrino(say);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const etc = join(work, 'trino-etc');
  writeProperties(join(etc, 'config.properties'), {
    'node.id': 'conformance',
    'node.environment': 'conformance',
    // The HTTP server listens where the node is bound to, which is everywhere unless it is said.
    'node.bind-ip': '127.0.0.1',
    'node.internal-address': '127.0.0.1',
    coordinator: 'true',
    'node-scheduler.include-coordinator': 'true',
    'http-server.http.port': String(port),
    'discovery.uri': url,
    'plugin.dir': join(home, 'plugin'),
    'catalog.config-dir': join(etc, 'catalog'),
    'query.max-memory': QUERY_MEMORY,
    'query.max-memory-per-node': QUERY_MEMORY,
    // For tables this small, finding the best plan and dividing the work costs more than it gives.
    'optimizer.join-reordering-strategy': 'NONE',
    'join-distribution-type': 'BROADCAST',
    'task.concurrency': '1',
    'query.execution-policy': 'all-at-once',
  });
  for (const [catalog, properties] of Object.entries(catalogs(store)))
    writeProperties(join(etc, 'catalog', `${catalog}.properties`), properties);

  const engine = await startEngine({
    name: 'Trino',
    command: java.command,
    args: [
      `-Xmx${HEAP}`,
      // What Trino's documentation asks for, and what spares its log the warnings of newer releases.
      '--add-modules=jdk.incubator.vector',
      '--enable-native-access=ALL-UNNAMED',
      '--sun-misc-unsafe-memory-access=allow',
      '-Djdk.attach.allowAttachSelf=true',
      '-Duser.timezone=UTC',
      // Queries are small and many: the second compiler would take a core for longer than it gives back.
      '-XX:TieredStopAtLevel=1',
      `-Dconfig=${join(etc, 'config.properties')}`,
      '-cp',
      join(home, 'lib', '*'),
      'io.trino.server.TrinoServer',
    ],
    cwd: work,
    env: { PATH: process.env.PATH, HOME: work, AWS_REGION: store.kind === 'aws' ? store.region : undefined },
    logFile: join(work, 'trino.log'),
    ready: async () => {
      const response = await fetch(`${url}/v1/info`);
      return response.ok && !((await response.json()) as { starting: boolean }).starting;
    },
    readyWithinMs: READY_WITHIN_MS,
  });
  say(`Trino ${VERSION} on Java ${java.version} listens on ${url}`);
  const client = trinoClient(url, { catalog: 'iceberg', schema: SCHEMA, user: 'paula' });
  return { ...client, url, pid: engine.pid, stop: engine.stop };
}

/** The folder of the unpacked server. */
async function installedTrino(say: (line: string) => void): Promise<string> {
  const cache = cacheFolder(`trino-${VERSION}`);
  const home = join(cache, 'server');
  if (existsSync(home)) return home;
  const tarball = join(cache, `trino-server-${VERSION}.tar.gz`);
  if (!existsSync(tarball)) {
    say(`Trino ${VERSION} is fetched once, ${Math.round(TARBALL.bytes / 1_000_000)} MB, and kept in ${cache}`);
    await download({ ...TARBALL, file: tarball });
  }
  await unpack(tarball, home, cache);
  rmSync(tarball);
  return home;
}

/** Unpacks all, since plugins share their files by hard links, and keeps what is used under a name that says it is whole. */
async function unpack(tarball: string, home: string, cache: string): Promise<void> {
  const scratch = mkdtempSync(join(cache, 'unpack-'));
  try {
    await promisify(execFile)('tar', ['-xzf', tarball, '-C', scratch, '--strip-components=1']);
    const kept = join(scratch, 'kept');
    mkdirSync(join(kept, 'plugin'), { recursive: true });
    renameSync(join(scratch, 'lib'), join(kept, 'lib'));
    for (const plugin of PLUGINS) renameSync(join(scratch, 'plugin', plugin), join(kept, 'plugin', plugin));
    renameSync(kept, home);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

type Properties = Readonly<Record<string, string>>;

function catalogs(store: TrinoStore): { hive: Properties; iceberg: Properties } {
  const storage = storageOf(store);
  return {
    hive: {
      'connector.name': 'hive',
      'hive.metastore': store.kind === 'files' ? 'file' : 'glue',
      'hive.partition-projection-enabled': 'true',
      // A projected partition without files is empty to Athena; in a folder it is one that does not exist.
      'hive.ignore-absent-partitions': 'true',
      'hive.iceberg-catalog-name': 'iceberg',
      // Parquet's times are UTC, whatever the machine's zone.
      'hive.parquet.time-zone': 'UTC',
      ...storage,
    },
    iceberg: {
      'connector.name': 'iceberg',
      'iceberg.catalog.type': store.kind === 'files' ? 'TESTING_FILE_METASTORE' : 'glue',
      'iceberg.hive-catalog-name': 'hive',
      'iceberg.table-statistics-enabled': 'false',
      // Trino would count the values of every column at each commit, which nothing here asks for.
      'iceberg.extended-statistics.enabled': 'false',
      // Athena keeps what it heeds itself among a table's properties, under names that are not Trino's.
      'iceberg.allowed-extra-properties': '*',
      // A test removes the files of old snapshots at once; the default refuses less than seven days.
      'iceberg.expire-snapshots.min-retention': '0s',
      'iceberg.remove-orphan-files.min-retention': '0s',
      ...storage,
    },
  };
}

function storageOf(store: TrinoStore): Properties {
  if (store.kind === 'files')
    return {
      'hive.metastore.catalog.dir': 'local:///metastore',
      'fs.native-local.enabled': 'true',
      'local.location': store.folder,
    };
  return {
    'hive.metastore.glue.endpoint-url': store.endpoint,
    'hive.metastore.glue.region': store.region,
    'hive.metastore.glue.aws-access-key': store.accessKey,
    'hive.metastore.glue.aws-secret-key': store.secretKey,
    'fs.native-s3.enabled': 'true',
    's3.endpoint': store.endpoint,
    's3.region': store.region,
    's3.path-style-access': 'true',
    's3.aws-access-key': store.accessKey,
    's3.aws-secret-key': store.secretKey,
  };
}

function writeProperties(file: string, properties: Properties): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}
